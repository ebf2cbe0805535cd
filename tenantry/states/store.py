"""Where the engine keeps states and locks, read without the engine where that is possible.

The engine's own backends hold them as a tree of keys: `.pulumi/stacks/PROJECT/STACK.json` and
`.pulumi/locks/organization/PROJECT/STACK/UUID.json` (pulumi 3, `pkg/backend/diy`). A folder and a table of PostgreSQL
can be read at once; any other kind answers through `pulumi`, which does not tell of locks.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

from tenantry.hiding import hidden
from tenantry.recovery.errors import RecoveryError
from tenantry.running.stack import backend_url, export_state, list_stacks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg

STACKS: Final = ".pulumi/stacks"
LOCKS: Final = ".pulumi/locks/organization"
_TABLE: Final = "pulumi_state"
_ATTEMPTS: Final = 10
"""The engine writes a state in place: a reader may find half of it, for a moment."""
_PAUSE: Final = 0.05
_CONNECT_SECONDS: Final = 10


class Store(Protocol):
    """The states and locks of one project."""

    where: str
    """What it is, for messages; no secret."""
    tells_locks: bool
    """Whether locks can be read and deleted here."""

    def stacks(self) -> list[str]:
        """List the project's stacks."""
        ...

    def state(self, stack: str) -> dict[str, Any] | None:
        """Return a stack's state (`manifest`, `resources`, `pending_operations`), secrets encrypted; None where it has none yet."""
        ...

    def locks(self) -> dict[str, str]:
        """Return the content of each lock by its key."""
        ...

    def delete_lock(self, key: str) -> None:
        """Delete one lock; one that is gone already is a success."""
        ...


def open_store(environment: Mapping[str, str], project: str, folder: Path | None = None) -> Store:
    """Find the states of a project.

    :param environment: the variables to run `pulumi` with
    :param project: the name in `Pulumi.yaml`
    :param folder: where that is; by default the current one
    :raises StackError: `pulumi` does not say which backend it is
    """
    url = environment.get("PULUMI_BACKEND_URL") or backend_url(environment)
    tree = open_tree(url, project)
    if tree is not None:
        return _InTree(tree, project)
    parts = urlsplit(url)
    return _ThroughEngine(environment, f"{parts.scheme}://{parts.hostname or ''}", folder)


def open_tree(url: str, project: str) -> Folder | Table | None:
    """Find the tree of keys at a backend's URL; None where it is of a kind, or of an age, that cannot be read from here."""
    scheme = urlsplit(url).scheme
    tree: Folder | Table
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


class Tree(Protocol):
    """A backend's keys and what is at each."""

    where: str

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin so."""
        ...

    def read(self, key: str) -> bytes | None:
        """Return what is at a key; None where there is none."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Put something at a key, whole or not at all."""
        ...

    def delete(self, key: str) -> None:
        """Delete a key; one that is gone already is a success."""
        ...


class Folder:
    """A backend that is a folder."""

    def __init__(self, root: Path) -> None:
        self.where = f"file://{root}"
        self.root = root

    def keys(self, prefix: str) -> list[str]:
        """List the files below a folder."""
        # Not rglob: a fleet's folder has thousands of files.
        walked = os.walk(self.root / prefix)
        found = (os.path.join(folder, name) for folder, _, names in walked for name in names)  # noqa: PTH118 as above
        return sorted(os.path.relpath(path, self.root) for path in found)

    def read(self, key: str) -> bytes | None:
        """Return what is at a key; None where there is none."""
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RecoveryError(f"{self.where}: {key}: {error.strerror or error}") from None

    def write(self, key: str, content: bytes) -> None:
        """Put something at a key, whole or not at all."""
        path = self.root / key
        # A name that no reader takes for a state or a lock.
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as stream:
                # As the engine: whoever runs next may be another user of the same group.
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
            # What the engine noted beside the content before is of that content.
            path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise RecoveryError(f"{self.where}: {key}: {error.strerror or error}") from None

    def delete(self, key: str) -> None:
        """Delete a key; one that is gone already is a success."""
        # What the engine keeps beside each file goes with it.
        for name in (key, f"{key}.attrs"):
            (self.root / name).unlink(missing_ok=True)


class Table:
    """A backend that is a table of PostgreSQL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._table = query.pop("table", [_TABLE])[0]
        self._url = urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
        self.where = f"postgres://{parts.hostname or ''}{parts.path}"
        # The engine takes the database's name for a folder in its table.
        folder = parts.path.strip("/")
        self.above = f"{folder}/" if folder else ""
        """What stands before each key in the table itself."""

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin so."""
        statement = "SELECT key FROM {} WHERE starts_with(key, %s) ORDER BY key"
        return [
            str(row[0]).removeprefix(self.above)
            for row in self.rows(statement, [self.above + prefix])
        ]

    def read(self, key: str) -> bytes | None:
        """Return what is at a key; None where there is none."""
        found = self.rows("SELECT data->>'data' FROM {} WHERE key = %s", [self.above + key])
        if not found:
            return None
        try:
            return base64.b64decode(found[0][0], validate=True)
        except (TypeError, binascii.Error):
            raise RecoveryError(
                f"{self.where}: {key} is not of the form that the engine writes"
            ) from None

    def write(self, key: str, content: bytes) -> None:
        """Put something at a key, whole or not at all."""
        data = json.dumps({"data": base64.b64encode(content).decode()})
        statement = (
            "INSERT INTO {} (key, data) VALUES (%s, %s) "
            "ON CONFLICT (key) DO UPDATE SET data = excluded.data, updated_at = now()"
        )
        with self.connected() as connection:
            connection.execute(self.sql(statement), [self.above + key, data])

    def rows(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Ask the table, whose name stands for the braces. There are no rows where the engine has not made it yet.

        :raises RecoveryError: the server does not answer or refuses
        """
        from psycopg.errors import UndefinedTable

        with self.connected() as connection:
            try:
                return connection.execute(self.sql(statement), parameters).fetchall()
            except UndefinedTable:
                return []

    def delete(self, key: str) -> None:
        """Delete a key; one that is gone already is a success."""
        with self.connected() as connection:
            connection.execute(self.sql("DELETE FROM {} WHERE key = %s"), [self.above + key])

    def sql(self, statement: str) -> Any:  # noqa: ANN401 psycopg's own
        """Put the table's name into a statement, at its braces."""
        from psycopg import sql

        return sql.SQL(statement).format(sql.Identifier(*self._table.split(".")))

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """Connect for the length of a block.

        :raises RecoveryError: the server does not answer or refuses, in one line without the password
        """
        import psycopg

        try:
            with psycopg.connect(self._url, connect_timeout=_CONNECT_SECONDS) as connection:
                yield connection
        except psycopg.Error as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            password = unquote(urlsplit(self._url).password or "")
            raise RecoveryError(
                f"{self.where}: {hidden(said[0], password)}; is PULUMI_BACKEND_URL right?"
            ) from None


class _InTree:
    tells_locks = True

    def __init__(self, tree: Tree, project: str) -> None:
        self.where = tree.where
        self._tree = tree
        self._project = project

    def stacks(self) -> list[str]:
        folder = f"{STACKS}/{self._project}/"
        found = (key.removeprefix(folder) for key in self._tree.keys(folder))
        return sorted(
            {
                name.removesuffix(ending)
                for name in found
                for ending in (".json", ".json.gz", ".json.zst")
                if name.endswith(ending) and "/" not in name
            }
        )

    def state(self, stack: str) -> dict[str, Any] | None:
        key = f"{STACKS}/{self._project}/{stack}.json"
        for _ in range(_ATTEMPTS):
            content = self._content(key)
            if content is None:
                return None
            try:
                found = json.loads(content)
            except ValueError:
                time.sleep(_PAUSE)
                continue
            # An initialized stack has no state yet.
            latest: dict[str, Any] | None = found["checkpoint"].get("latest")
            return latest
        raise RecoveryError(
            f"{self.where}: the state of {stack} is no JSON: it was cut off; the last whole one is beside it, as "
            f"{stack}.json.bak"
        )

    def locks(self) -> dict[str, str]:
        # Also those of a stack that is not there yet, whose first run was killed.
        keys = self._tree.keys(f"{LOCKS}/{self._project}/")
        read = {key: self._tree.read(key) for key in keys if key.endswith(".json")}
        return {
            key: each.decode("utf-8", "replace") for key, each in read.items() if each is not None
        }

    def delete_lock(self, key: str) -> None:
        self._tree.delete(key)

    def _content(self, key: str) -> bytes | None:
        plain = self._tree.read(key)
        if plain is not None:
            return plain
        packed = self._tree.read(f"{key}.gz")
        if packed is not None:
            return gzip.decompress(packed)
        if self._tree.read(f"{key}.zst") is not None:
            raise RecoveryError(
                f"{self.where}: states are compressed with zstd, which is not read here: unset PULUMI_DIY_BACKEND_ZSTD, and the "
                "next run writes them plain"
            )
        return None


class _ThroughEngine:
    tells_locks = False

    def __init__(self, environment: Mapping[str, str], where: str, folder: Path | None) -> None:
        self.where = where
        self._environment = environment
        self._folder = folder

    def stacks(self) -> list[str]:
        return sorted(list_stacks(self._environment, self._folder))

    def state(self, stack: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = export_state(self._environment, stack, self._folder)[
            "deployment"
        ]
        return found

    def locks(self) -> dict[str, str]:
        return {}

    def delete_lock(self, key: str) -> None:
        raise RecoveryError(
            f"{self.where}: {key} cannot be deleted from here: delete that one file by hand"
        )
