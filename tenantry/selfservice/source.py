"""One registry of the file's apps and of those that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.errors import TenantryError
from tenantry.registry.asked import AskedError, row_app
from tenantry.registry.source import FileSource, Reading
from tenantry.selfservice.asked_rows import read_rows
from tenantry.selfservice.errors import TwiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tenantry.registry import Registry
    from tenantry.registry.asked import AskedRow
    from tenantry.registry.source import RegistrySource

    Rows = Callable[[str], Iterable[AskedRow]]


class JoinedSource:
    """The file and the rows.

    Rows that cannot be read make no failure: the file's apps are there, and the reading says that it is not complete.
    """

    def __init__(self, file: RegistrySource, rows: Rows) -> None:
        """Read nothing yet.

        :param rows: gives the rows of a registry's namespace that live; a TenantryError where they cannot be read
        """
        self._file = file
        self._rows = rows

    def read(self) -> Reading:
        """Read both. A file without `self_service` has no rows, and they are not asked for.

        :raises RegistryError: the file is not valid
        :raises TwiceError: an app is in both
        """
        file = self._file.read()
        if file.registry.self_service is None:
            return file
        try:
            rows = tuple(self._rows(file.registry.namespace))
        except TenantryError as error:
            return Reading(file.registry, unread=str(error).splitlines()[0])
        return joined(file.registry, rows)


def source_of(file: Path, catalog: Callable[[], str | None]) -> RegistrySource:
    """Return the source of a project.

    :param file: the registry's file
    :param catalog: gives the URL of the catalog, None where there is none. It is called only if the file has
        `self_service`
    """

    def rows(namespace: str) -> Iterable[AskedRow]:
        url = catalog()
        return read_rows(url, namespace) if url else ()

    return JoinedSource(FileSource(file), rows)


def joined(file: Registry, rows: Iterable[AskedRow]) -> Reading:
    """Join a file's registry and rows.

    A row whose plan is gone, or that is not valid any more, is left out and named, so that it stops no other.

    :raises TwiceError: an app is in both; one line for each
    """
    rows = tuple(rows)
    check_only_asked(file, rows)
    apps, kept = [], {}
    for row in rows:
        if row.deletion_requested:
            continue
        try:
            apps.append(row_app(file, row))
        except AskedError as error:
            kept[row.app_id] = "; ".join(str(error).splitlines())
    return Reading(
        file.with_apps((*file.apps, *apps)),
        rows,
        kept,
        frozenset(row.app_id for row in rows if row.deletion_requested),
    )


def check_only_asked(file: Registry, rows: Iterable[AskedRow]) -> None:
    """Refuse rows of apps that the file declares as well: which of the two holds, only a person can say.

    :raises TwiceError: one line for each
    """
    if twice := [row for row in rows if file.declares(row.app_id)]:
        raise TwiceError(
            "\n".join(
                f"{file.app(row.app_id).location}: {row.app_id} is in the {row.place} as well (row {row.id}): one of the two is "
                f"to go: take it out of the file (tenantry registry import {row.app_id} says which lines), or give up the row "
                f"(tenantry registry export {row.app_id} --release)"
                for row in twice
            )
        )
