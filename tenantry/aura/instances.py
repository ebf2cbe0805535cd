"""An instance made, taken over, or changed. No Pulumi here.

An instance is known by its name, which is derived from the registry. Aura does not keep names unique, and a create that
is sent twice makes two. So a create looks for the name first. It never goes on where it finds one that the stack does
not know.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tenantry.aura import unanswered
from tenantry.aura.errors import (
    AMBIGUOUS,
    AuraConflictError,
    AuraError,
    AuraNotFoundError,
    AuraQuotaError,
    AuraStateError,
    InstanceError,
    UnfinishedError,
)
from tenantry.aura.judging import same_name_fault, taken
from tenantry.aura.models import DESTROYING, PAUSED
from tenantry.aura.polling import looks
from tenantry.aura.settings import Polling
from tenantry.aura.shared_file import locked
from tenantry.provisioning.pauses import StoppedError

if TYPE_CHECKING:
    from pathlib import Path

    from tenantry.aura.client import AuraClient
    from tenantry.aura.judging import Wanted

_AFTER_LOST: Final = Polling(first=5, most=5, deadline=16)


@dataclass(frozen=True)
class Adoption:
    """An instance that is there already and is to be taken over, with the password that only its maker knows."""

    instance_id: str
    password: str = field(repr=False)
    username: str = "neo4j"


@dataclass(frozen=True)
class Made:
    """An instance with what it answers to."""

    id: str
    connection_url: str
    username: str
    password: str = field(repr=False)
    created_at: str


def make(client: AuraClient, wanted: Wanted, adoption: Adoption | None) -> Made:
    """Make the instance and return at once, or take over the one that is named.

    :raises InstanceError: the name is taken, the limit is reached, or the answer to the create was lost
    :raises AuraError: Aura refused it, or did not answer before anything was sent
    """
    if adoption:
        return _adopt(client, wanted, adoption)
    # A run that was killed may have left a process behind that is about to make this very instance. Between its look
    # and its create, nobody else looks.
    bucket = hashlib.sha256(wanted.name.encode()).hexdigest()[:2]
    patience = client.settings.polling.deadline
    notes = client.settings.file(f"create-{bucket}")
    with locked(notes, client.clock, patience=patience):
        _let_land(client, wanted, notes)
        _refuse_same_name(client, wanted)
        return _send(client, wanted, notes)


def _let_land(client: AuraClient, wanted: Wanted, notes: Path) -> None:
    """Look for what a run that died may have sent, for as long as it may still arrive."""
    clock, landing = client.clock, client.settings.landing
    sent = unanswered.sent_at(notes, wanted.name)
    if sent is None:
        return
    # A clock that was set back must not make the wait longer.
    end = min(sent, clock.wall()) + landing
    while (left := end - clock.wall()) > 0:
        _refuse_same_name(client, wanted)
        clock.sleep(min(left, client.settings.polling.first))


def _send(client: AuraClient, wanted: Wanted, notes: Path) -> Made:
    body = {
        "name": wanted.name,
        "type": wanted.type,
        "cloud_provider": wanted.cloud,
        "region": wanted.region,
        "memory": wanted.memory,
        "version": wanted.version,
        "tenant_id": wanted.tenant_id,
    }
    unanswered.note(notes, wanted.name, client.clock.wall())
    try:
        created = client.create_instance(body)
    except AMBIGUOUS as error:
        # The create may have waited for its turn. So the time in which it may still land begins now.
        unanswered.note(notes, wanted.name, client.clock.wall())
        raise _lost(client, wanted, error) from None
    except StoppedError:
        # It was still waiting to be sent.
        unanswered.forget(notes, wanted.name)
        raise
    except AuraError as error:
        unanswered.forget(notes, wanted.name)
        if not isinstance(error, AuraQuotaError):
            raise
        raise InstanceError(
            f"{wanted.target}: the account's limit of instances is reached: delete one, or take another type; {error}"
        ) from None
    with suppress(AuraStateError):
        # From here on nothing may fail: Aura tells the password once. A note that is left only makes a later create
        # wait.
        unanswered.forget(notes, wanted.name)
    return Made(
        created.id,
        created.connection_url,
        created.username,
        created.password.get_secret_value(),
        created.created_at,
    )


def change(
    client: AuraClient,
    target: str,
    instance_id: str,
    *,
    name: str | None = None,
    memory: str | None = None,
) -> None:
    """Rename and resize in place; wait while another operation is under way.

    :raises InstanceError: it is paused, gone, or busy for too long; another instance has the name
    """
    if name is not None:
        _refuse_twin(client, target, instance_id, name)
    conflict = ""
    for deadline in looks(client.settings.polling, client.clock):
        try:
            client.change_instance(instance_id, name=name, memory=memory, deadline=deadline)
        except AuraNotFoundError as error:
            raise InstanceError(f"{target}: {error}: tenantry up -- --refresh") from None
        except AuraConflictError as error:
            conflict = str(error)
            status = client.instance(instance_id, deadline=deadline).status
            if status in PAUSED:
                raise InstanceError(
                    f"{target}: instance {instance_id} is {status} and cannot be changed so: write paused: false, apply, then change it"
                ) from None
        else:
            return
    raise UnfinishedError(
        f"{target}: instance {instance_id} stays busy: {conflict}; tenantry up tries again"
    )


def _refuse_twin(client: AuraClient, target: str, instance_id: str, name: str) -> None:
    listed = client.instances(client.settings.tenant_id)
    twins = [each.id for each in listed if each.name == name and each.id != instance_id]
    if twins:
        raise InstanceError(
            f'{target}: Aura has another instance named "{name}" ({", ".join(twins)}), and a name is how ours are known: rename or '
            "delete that one, then tenantry up"
        )


def _adopt(client: AuraClient, wanted: Wanted, adoption: Adoption) -> Made:
    try:
        found = client.instance(adoption.instance_id)
    except AuraNotFoundError as error:
        raise InstanceError(f"{wanted.target}: the instance to take over: {error}") from None
    differing = [
        f"{key} {actual} and not {asked}"
        for key, actual, asked in (
            ("type", found.type, wanted.type),
            ("cloud", found.cloud_provider, wanted.cloud),
            ("region", found.region, wanted.region),
            ("project", found.tenant_id, wanted.tenant_id),
        )
        if actual is not None and actual != asked
    ]
    if differing:
        raise InstanceError(
            f"{wanted.target}: instance {found.id} has {', '.join(differing)}, which Aura cannot change: write what it has into the "
            "registry, or take over another"
        )
    others = [each for each in client.instances(wanted.tenant_id) if each.id != found.id]
    if fault := same_name_fault(client, wanted, others):
        raise InstanceError(fault.message)
    memory = wanted.memory if found.memory not in {None, wanted.memory} else None
    name = wanted.name if found.name != wanted.name else None
    if memory or name:
        change(client, wanted.target, found.id, name=name, memory=memory)
    created_at = found.created_at.isoformat() if found.created_at else ""
    url = found.connection_url
    if not url:
        raise InstanceError(
            f"{wanted.target}: instance {found.id} is {found.status} and has no URL: resume it in Aura, then tenantry up"
        )
    return Made(found.id, url, adoption.username, adoption.password, created_at)


def _refuse_same_name(client: AuraClient, wanted: Wanted) -> None:
    going: list[str] = []
    for deadline in looks(client.settings.polling, client.clock):
        going = []
        listed = client.instances(wanted.tenant_id, deadline=deadline)
        for summary in [each for each in listed if each.name == wanted.name]:
            try:
                found = client.instance(summary.id, deadline=deadline)
            except AuraNotFoundError:
                continue  # the list is behind
            if found.status != DESTROYING:
                raise InstanceError(taken(wanted, found))
            going.append(found.id)
        if not going:
            return
    raise UnfinishedError(
        f"{wanted.target}: instance {', '.join(going)} of the same name is still being destroyed: tenantry up when it is gone"
    )


def _lost(client: AuraClient, wanted: Wanted, error: AuraError) -> InstanceError:
    found: list[str] = []
    try:
        for deadline in looks(_AFTER_LOST, client.clock):
            listed = client.instances(wanted.tenant_id, deadline=deadline)
            found = [each.id for each in listed if each.name == wanted.name]
            if found:
                break
    except (AuraError, StoppedError):
        found = []  # the first error is the one to be told
    if found:
        settled = ", ".join(f"tenantry graph delete {each} --name {wanted.name}" for each in found)
        return InstanceError(
            f"{wanted.target}: the instance was made ({', '.join(found)}), and the answer with its password was lost; nothing is in it: "
            f"{settled}, then tenantry up. ({error})"
        )
    return UnfinishedError(
        f"{wanted.target}: whether the instance was made is not known: tenantry up looks for its name first, and says what to do if it is "
        f"there. ({error})"
    )
