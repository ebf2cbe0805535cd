"""Deletes what is in the cloud and in no state, by its id and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.recovery.errors import RecoveryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.recovery.looking import Looker
    from tenantry.states.state import Held, StackState


def delete_project(looker: Looker, project_id: str, name: str, *, protected: bool = False) -> None:
    """Delete a Neon project that no stack holds; one that is gone already is a success.

    Neon keeps what is deleted for 7 days, recoverable.

    :param name: what it must be called
    :param protected: also where the registry has an app of this name with `deletion: protect`
    :raises RecoveryError: a stack holds it, a run is making it, it has another name, or it is protected
    :raises TenantryError: something cannot be asked
    """
    states = looker.states()
    _refuse_held(project_id, ((state, state.projects) for state in states))
    _refuse_begun(name, looker, states)
    with looker.neon() as api:
        found = api.project(project_id)
        if found is None:
            return
        _refuse_other_name(project_id, found.name, name)
        declared = looker.declared().get(name)
        if declared and declared.deletion == "protect" and not protected:
            raise RecoveryError(
                f"{project_id}: the registry has {declared.wanted.target} with 'deletion: protect', and may mean this project: "
                "nothing was deleted. If it is not needed, add --protected"
            )
        api.delete_project(project_id)


def delete_graph(looker: Looker, instance_id: str, name: str) -> None:
    """Delete an Aura instance that no stack holds, and wait until it is gone.

    An app's `deletion: protect` is not looked at: whoever lacks the state lacks the password, which Aura tells once.

    :param name: what it must be called
    :raises RecoveryError: a stack holds it, a run is making it, or it has another name
    :raises TenantryError: something cannot be asked
    """
    from tenantry.aura.errors import AuraNotFoundError
    from tenantry.aura.removing import remove

    states = looker.states()
    _refuse_held(instance_id, ((state, state.instances) for state in states))
    _refuse_begun(name, looker, states)
    with looker.aura() as client:
        try:
            found = client.instance(instance_id)
        except AuraNotFoundError:
            return
        _refuse_other_name(instance_id, found.name, name)
        remove(
            client,
            name,
            instance_id,
            tenant_id=found.tenant_id or client.settings.tenant_id,
            created_at=found.created_at.isoformat() if found.created_at else "",
            snapshot=False,
            until_gone=True,
        )


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


def _refuse_other_name(wanted: str, found: str, name: str) -> None:
    if found != name:
        raise RecoveryError(f'{wanted} is called "{found}", and not "{name}": nothing was deleted')
