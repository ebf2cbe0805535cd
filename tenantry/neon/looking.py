"""Neon as the rest of the program asks it: which projects are ours, whether their computes are awake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from tenantry.clouds.neon import NEON
from tenantry.neon.client import API_URL, NeonApi, NeonError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Self

    from tenantry.clouds.cloud import Live, Ours

_READERS: Final = 8


def connect(settings: Mapping[str, str], environment: Mapping[str, str]) -> NeonClient:
    """Connect with the key that a run would use; nothing is asked yet.

    :raises NeonError: there is no key
    """
    key = settings.get("neon:apiKey") or environment.get("NEON_API_KEY")
    if not key:
        raise NeonError(
            "no key for the Neon API: set NEON_API_KEY, or pulumi config set --secret neon:apiKey"
        )
    api = NeonApi(api_key=key, url=environment.get(NEON.url) or API_URL)
    return NeonClient(api, NEON.account.of(settings, environment))


class NeonClient:
    """A `tenantry.clouds.cloud.DatabaseClient`."""

    def __init__(self, api: NeonApi, organization: str) -> None:
        """Ask nothing yet.

        :param organization: its id; empty where the key implies it
        """
        self.api = api
        self._organization = organization

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()

    def answers(self) -> datetime | None:
        """Ask for one project of the organization; return Neon's time."""
        return self.api.answers(self._organization)

    def look(self, ours: Ours) -> tuple[list[Live], frozenset[str]]:
        """List our projects, and the ids of those that are gone for certain."""
        marks = tuple(ours.marks)
        searches = {*marks, *(name for name in ours.names if not name.startswith(marks))}
        found = {
            each.id: each
            for search in sorted(searches)
            for each in self.api.projects(self._organization, search)
            if ours.has(each)
        }
        # Not in the list: gone, renamed, or in another organization.
        absent = sorted({each.id for each in ours.held if each.id} - set(found))
        with ThreadPoolExecutor(_READERS) as readers:
            looked = dict(zip(absent, readers.map(self.find, absent), strict=True))
        found |= {id_: each for id_, each in looked.items() if each}
        return list(found.values()), frozenset(id_ for id_, each in looked.items() if each is None)

    def find(self, id_: str) -> Live | None:
        """Return a live project; None where there is none of this id."""
        return self.api.project(id_)

    def delete(self, found: Live) -> None:
        """Delete a project. Neon keeps it for 7 days, recoverable."""
        self.api.delete_project(found.id)

    def computes(self, ids: Iterable[str]) -> dict[str, str]:
        """Read the state of each project's compute, as `NeonApi.compute_state`: one request each, a few at a time."""
        wanted = list(ids)
        with ThreadPoolExecutor(_READERS) as readers:
            return dict(zip(wanted, readers.map(self.api.compute_state, wanted), strict=True))
