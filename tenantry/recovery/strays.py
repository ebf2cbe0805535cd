"""Deletes what is in a cloud and in no state, by its id and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.recovery.errors import RecoveryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.clouds.cloud import Held
    from tenantry.recovery.looking import Looker
    from tenantry.states.state import StackState


def delete_stray(
    looker: Looker, noun: str, id_: str, name: str, *, protected: bool = False
) -> None:
    """Delete a project or an instance that no stack holds; one that is gone already is a success.

    :param noun: what it is: `project`, `graph`
    :param name: what it must be called
    :param protected: also where the registry has an app of this name with `deletion: protect`. That is looked at only
        where the next run could take it over: whoever lacks the state of an instance lacks the password
    :raises RecoveryError: a stack holds it, a run is making it, it has another name, or it is protected
    :raises TenantryError: something cannot be asked
    """
    states = looker.states()
    for cloud in looker.clouds(noun, states):
        _refuse_held(id_, ((state, state.of(cloud)) for state in states))
    _refuse_begun(name, looker, states)
    for cloud in looker.clouds(noun, states):
        with looker.connect(cloud) as client:
            found = client.find(id_)
            if found is None:
                continue
            if found.name != name:
                raise RecoveryError(
                    f'{id_} is called "{found.name}", and not "{name}": nothing was deleted'
                )
            declared = looker.declared().get((cloud.name, name)) if cloud.makes_again else None
            if declared and declared.deletion == "protect" and not protected:
                raise RecoveryError(
                    f"{id_}: the registry has {declared.wanted.target} with 'deletion: protect', and may mean this {noun}: "
                    "nothing was deleted. If it is not needed, add --protected"
                )
            client.delete(found)
            return


def _refuse_held(wanted: str, held: Iterable[tuple[StackState, Iterable[Held]]]) -> None:
    for state, each in held:
        for one in each:
            if one.id == wanted:
                raise RecoveryError(
                    f"{wanted} is {one.target} of stack {state.stack}: to delete it, take it out of the registry"
                )


def _refuse_begun(name: str, looker: Looker, states: Iterable[StackState]) -> None:
    busy = {lock.stack: lock for lock in looker.locks() if lock.owner != "dead"}
    for state in states:
        begun = {each.wanted.name for each in state.pending if each.wanted}
        if state.stack in busy and name in begun:
            raise RecoveryError(
                f"{name}: stack {state.stack} is held by {busy[state.stack].holder}, which may be making it: wait until that run ends"
            )
