"""A backend of the engine's own kinds, read and written without the engine: keys, and what is at each.

It is a folder (`file://`) or a table of PostgreSQL (`postgres://`) with the same keys (`tenantry.states.layout`).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

from tenantry.hiding import hidden
from tenantry.states.errors import StatesAwayError, StatesError
from tenantry.states.layout import STACKS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import psycopg

_TABLE: Final = "pulumi_state"
_CONNECT_SECONDS: Final = 10
_ALL: Final = 3 * 2**28
"""Bytes: more than any state has."""


class Tree(ABC):
    """A backend's keys and what is at each. Methods raise StatesError where the backend does not answer or refuses."""

    where: str
    """Its name in messages; no secret."""

    @abstractmethod
    def keys(self, folder: str) -> list[str]:
        """List the keys below a folder, in order; none where there is no such folder.

        :param folder: ends with a slash, or is empty for all
        """

    @abstractmethod
    def contents(self, keys: Collection[str], length: int = _ALL) -> dict[str, bytes]:
        """Return what is at each of these keys; a key at which nothing is has no entry.

        :param length: how many bytes of it at most, a multiple of 3; by default all
        """

    @abstractmethod
    def newest(self, folder: str, names: Iterable[str], pattern: str) -> dict[str, str]:
        """Return, for each of these folders below a folder, the last of its keys in order that matches a pattern."""

    @abstractmethod
    def written_last(self, keys: Collection[str]) -> str:
        """Return which of these keys was written last."""

    @abstractmethod
    def write(self, key: str, content: bytes) -> None:
        """Put something at a key, whole or not at all."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete a key; one that is gone already is a success."""

    def read(self, key: str) -> bytes | None:
        """Return what is at a key; None where there is none."""
        return self.contents([key]).get(key)


def open_tree(url: str, project: str) -> Tree | None:
    """Find the tree of keys at a backend's URL; None where its kind or its age is one that cannot be read from here."""
    scheme = urlsplit(url).scheme
    tree: Tree
    if scheme == "file":
        tree = Folder(folder_of(url))
    elif scheme == "postgres":
        tree = Table(url)
    else:
        return None
    # Before projects had names of their own in a backend, its keys were others (`meta.yaml` names the version).
    if not tree.keys(f"{STACKS}/{project}/") and tree.keys(f"{STACKS}/"):
        version = tree.read(".pulumi/meta.yaml") or b""
        if not re.search(rb"^version:\s*1\s*$", version, re.MULTILINE):
            return None
    return tree


def folder_of(url: str) -> Path:
    """Find the folder of a `file://` backend as the engine does: `file://~`, `file:///var/state`, `file://./state`."""
    path = unquote(url.removeprefix("file://").partition("?")[0])
    return Path(path).expanduser().absolute()


class Folder(Tree):
    """A backend that is a folder."""

    def __init__(self, root: Path) -> None:
        self.where = f"file://{root}"
        self._root = str(root)

    def keys(self, folder: str) -> list[str]:
        """List the keys below a folder."""
        # Not rglob, nor Path below: a fleet's folder has thousands of files.
        top = f"{self._root}/{folder}"
        found = []
        for place, _, names in os.walk(top, onerror=self._unless_missing):
            below = os.path.relpath(place, self._root)
            found += [name if below == "." else f"{below}/{name}" for name in names]
        return sorted(found)

    def contents(self, keys: Collection[str], length: int = _ALL) -> dict[str, bytes]:
        """Return what is at each of these keys."""
        found = {}
        for key in keys:
            try:
                with open(f"{self._root}/{key}", "rb") as stream:  # noqa: PTH123 as above
                    found[key] = stream.read(-1 if length == _ALL else length)
            except OSError as error:
                self._unless_missing(error)
        return found

    def newest(self, folder: str, names: Iterable[str], pattern: str) -> dict[str, str]:
        """Return the last key of each folder that matches."""
        wanted, found = re.compile(pattern), {}
        for name in names:
            try:
                there = os.listdir(f"{self._root}/{folder}{name}")  # noqa: PTH208 as above
            except OSError as error:
                self._unless_missing(error)
                continue
            if matching := [each for each in there if wanted.search(each)]:
                found[name] = f"{folder}{name}/{max(matching)}"
        return found

    def written_last(self, keys: Collection[str]) -> str:
        """Return which of these keys was written last."""

        def written(key: str) -> tuple[int, str]:
            try:
                return Path(self._root, key).stat().st_mtime_ns, key
            except OSError as error:
                self._unless_missing(error)
                return 0, key

        return max(keys, key=written)

    def write(self, key: str, content: bytes) -> None:
        """Put something at a key, whole or not at all."""
        path = Path(self._root, key)
        # A name that no reader takes for a state or a lock.
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as stream:
                # With the rights that the engine gives: the next run may be by another user of the group.
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
            # The attributes that the engine wrote beside the old content do not fit the new one.
            path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise self._failed(error) from None

    def delete(self, key: str) -> None:
        """Delete a key."""
        # What the engine keeps beside each file goes with it.
        for name in (key, f"{key}.attrs"):
            try:
                Path(self._root, name).unlink(missing_ok=True)
            except OSError as error:
                raise self._failed(error) from None

    def _unless_missing(self, error: OSError) -> None:
        # A folder that cannot be read is not an empty one.
        if not isinstance(error, FileNotFoundError):
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> StatesError:
        key = str(error.filename or "").removeprefix(f"{self._root}/")
        return StatesError(
            f"{self.where}: {key}: {error.strerror or error}; may this user read and write there?"
        )


class Table(Tree):
    """A backend that is a table of PostgreSQL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._table = query.pop("table", [_TABLE])[0]
        self._url = urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
        self.where = f"postgres://{parts.hostname or ''}{parts.path}"
        # The engine takes the database's name for a folder in its table.
        folder = parts.path.strip("/")
        self._above = f"{folder}/" if folder else ""

    def keys(self, folder: str) -> list[str]:
        """List the keys below a folder."""
        statement = "SELECT key FROM {} WHERE starts_with(key, %s) ORDER BY key"
        return [self._key(row[0]) for row in self._rows(statement, [self._above + folder])]

    def contents(self, keys: Collection[str], length: int = _ALL) -> dict[str, bytes]:
        """Return what is at each of these keys."""
        if not keys:
            return {}
        # A value is one JSON text whose only member is in base64: its head can be taken as it is.
        found = self._rows(
            "SELECT key, left(data->>'data', %s) FROM {} WHERE key = ANY(%s)",
            [length * 4 // 3, self._full(keys)],
        )
        return {self._key(key): self._decoded(key, text) for key, text in found}

    def newest(self, folder: str, names: Iterable[str], pattern: str) -> dict[str, str]:
        """Return the last key of each folder that matches."""
        above = self._above + folder
        found = self._rows(
            "SELECT split_part(right(key, -%s), '/', 1), max(key) FROM {} WHERE starts_with(key, %s) AND key ~ %s GROUP BY 1",
            [len(above), above, pattern],
        )
        wanted = set(names)
        return {str(name): self._key(key) for name, key in found if name in wanted}

    def written_last(self, keys: Collection[str]) -> str:
        """Return which of these keys was written last."""
        statement = "SELECT key FROM {} WHERE key = ANY(%s) ORDER BY updated_at DESC, key DESC"
        found = self._rows(statement, [self._full(keys)])
        return self._key(found[0][0]) if found else max(keys)

    def write(self, key: str, content: bytes) -> None:
        """Put something at a key, whole or not at all."""
        data = json.dumps({"data": base64.b64encode(content).decode()})
        statement = (
            "INSERT INTO {} (key, data) VALUES (%s, %s) "
            "ON CONFLICT (key) DO UPDATE SET data = excluded.data, updated_at = now()"
        )
        with self._connected() as connection:
            connection.execute(self._sql(statement), [self._above + key, data])

    def delete(self, key: str) -> None:
        """Delete a key."""
        with self._connected() as connection:
            connection.execute(self._sql("DELETE FROM {} WHERE key = %s"), [self._above + key])

    def _key(self, key: object) -> str:
        return str(key).removeprefix(self._above)

    def _full(self, keys: Iterable[str]) -> list[str]:
        return [self._above + key for key in keys]

    def _decoded(self, key: object, text: object) -> bytes:
        try:
            return base64.b64decode(text, validate=True)  # type: ignore[arg-type]  # refused below
        except (TypeError, binascii.Error):
            raise StatesError(
                f"{self.where}: {key} is not of the form that the engine writes"
            ) from None

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Ask the table, whose name stands for the braces. There are no rows where the engine has not made it yet."""
        from psycopg.errors import UndefinedTable

        with self._connected() as connection:
            try:
                return connection.execute(self._sql(statement), parameters).fetchall()
            except UndefinedTable:
                return []

    def _sql(self, statement: str) -> Any:  # noqa: ANN401 psycopg's own
        from psycopg import sql

        return sql.SQL(statement).format(sql.Identifier(*self._table.split(".")))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        import psycopg

        from tenantry.provisioning.connections import connect

        try:
            with connect(self._url, connect_timeout=_CONNECT_SECONDS) as connection:
                yield connection
        except psycopg.Error as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            password = unquote(urlsplit(self._url).password or "")
            away = isinstance(error, psycopg.OperationalError)
            kind = StatesAwayError if away else StatesError
            raise kind(
                f"{self.where}: {hidden(said[0], password)}; is PULUMI_BACKEND_URL right?"
            ) from None
