"""Aura as the rest of the program asks it: which instances are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.aura.client import AuraClient
from tenantry.aura.errors import AuraNotFoundError
from tenantry.aura.models import DESTROYING
from tenantry.aura.removing import remove
from tenantry.aura.settings import read_settings
from tenantry.clouds.cloud import Live

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Self

    from tenantry.aura.models import Instance, InstanceSummary
    from tenantry.clouds.cloud import Ours


def connect(settings: Mapping[str, str], environment: Mapping[str, str]) -> AuraLooker:
    """Connect as a run would; nothing is asked yet.

    :raises AuraSettingsError: something is missing or cannot be used
    """
    found = read_settings(lambda name: settings.get(f"tenantry:{name}"), environment)
    return AuraLooker(AuraClient(found))


class AuraLooker:
    """A `tenantry.clouds.cloud.Client`."""

    def __init__(self, client: AuraClient) -> None:
        """Ask nothing yet."""
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def answers(self) -> datetime | None:
        """Ask about the project; its answer tells no time."""
        self._client.tenant(self._client.settings.tenant_id)
        return None

    def look(self, ours: Ours) -> tuple[list[Live], frozenset[str]]:
        """List our instances, and the ids of those that are gone for certain."""
        held = {each.id: each.account for each in ours.held if each.id}
        listed = {
            each.id: _live(each)
            for project in {self._client.settings.tenant_id, *held.values()}
            for each in self._client.instances(project)
        }
        # The list does not say which instances are being deleted. Those in a state need not be asked about.
        found = [
            each
            for each in listed.values()
            if ours.has(each) and (each.id in held or not self._is_leaving(each.id))
        ]
        return found, frozenset(set(held) - set(listed))

    def find(self, id_: str) -> Live | None:
        """Return an instance; None where there is none of this id."""
        try:
            return _live(self._client.instance(id_))
        except AuraNotFoundError:
            return None

    def delete(self, found: Live) -> None:
        """Delete an instance and wait until it is gone."""
        remove(
            self._client,
            found.name,
            found.id,
            tenant_id=found.account or self._client.settings.tenant_id,
            created_at=found.created.isoformat() if found.created else "",
            snapshot=False,
            until_gone=True,
        )

    def _is_leaving(self, id_: str) -> bool:
        try:
            return self._client.instance(id_).status == DESTROYING
        except AuraNotFoundError:
            return True


def _live(found: Instance | InstanceSummary) -> Live:
    return Live(found.id, found.name, found.tenant_id or "", found.created_at)
