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
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

from tenantry.recovery.errors import RecoveryError
from tenantry.stack import backend_url, exported, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

_STACKS: Final = ".pulumi/stacks"
_LOCKS: Final = ".pulumi/locks/organization"
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


def open_store(environment: Mapping[str, str], project: str) -> Store:
    """Find the states of a project.

    :param environment: the variables to run `pulumi` with
    :param project: the name in `Pulumi.yaml`
    :raises StackError: `pulumi` does not say which backend it is
    """
    url = environment.get("PULUMI_BACKEND_URL") or backend_url(environment)
    parts = urlsplit(url)
    if parts.scheme == "file":
        tree: _Tree = _Folder(_folder(url))
    elif parts.scheme == "postgres":
        tree = _Table(url)
    else:
        return _ThroughEngine(environment, f"{parts.scheme}://{parts.hostname or ''}")
    # Before projects had names of their own in a backend, its keys were others (`meta.yaml` names the version).
    if not tree.keys(f"{_STACKS}/{project}/") and tree.keys(f"{_STACKS}/"):
        version = tree.read(".pulumi/meta.yaml") or b""
        if not re.search(rb"^version:\s*1\s*$", version, re.MULTILINE):
            return _ThroughEngine(environment, tree.where)
    return _InTree(tree, project)


def _folder(url: str) -> Path:
    # As the engine reads it: `file://~`, `file:///var/state`, `file://./state`.
    path = unquote(url.removeprefix("file://").partition("?")[0])
    return Path(path).expanduser().absolute()


class _Tree(Protocol):
    where: str

    def keys(self, prefix: str) -> list[str]: ...

    def read(self, key: str) -> bytes | None: ...

    def delete(self, key: str) -> None: ...


class _Folder:
    def __init__(self, root: Path) -> None:
        self.where = f"file://{root}"
        self._root = root

    def keys(self, prefix: str) -> list[str]:
        folder = self._root / prefix
        files = (path for path in folder.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self._root)) for path in files)

    def read(self, key: str) -> bytes | None:
        try:
            return (self._root / key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RecoveryError(f"{self.where}: {key}: {error.strerror or error}") from None

    def delete(self, key: str) -> None:
        # What the engine keeps beside each file goes with it.
        for name in (key, f"{key}.attrs"):
            (self._root / name).unlink(missing_ok=True)


class _Table:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._table = query.pop("table", [_TABLE])[0]
        self._url = urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
        self.where = f"postgres://{parts.hostname or ''}{parts.path}"

    def keys(self, prefix: str) -> list[str]:
        with self._connected() as connection:
            found = connection.execute(
                self._sql("SELECT key FROM {} WHERE starts_with(key, %s) ORDER BY key"), [prefix]
            )
            return [str(row[0]) for row in found.fetchall()]

    def read(self, key: str) -> bytes | None:
        with self._connected() as connection:
            found = connection.execute(
                self._sql("SELECT data->>'data' FROM {} WHERE key = %s"), [key]
            ).fetchone()
        if found is None:
            return None
        try:
            return base64.b64decode(found[0], validate=True)
        except (TypeError, binascii.Error):
            raise RecoveryError(
                f"{self.where}: {key} is not of the form that the engine writes"
            ) from None

    def delete(self, key: str) -> None:
        with self._connected() as connection:
            connection.execute(self._sql("DELETE FROM {} WHERE key = %s"), [key])

    def _sql(self, statement: str) -> Any:  # noqa: ANN401 psycopg's own
        from psycopg import sql  # noqa: PLC0415 only where the states are in a database

        return sql.SQL(statement).format(sql.Identifier(*self._table.split(".")))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        import psycopg  # noqa: PLC0415 as above

        try:
            with psycopg.connect(self._url, connect_timeout=_CONNECT_SECONDS) as connection:
                yield connection
        except psycopg.Error as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise RecoveryError(f"{self.where}: {said[0]}; is PULUMI_BACKEND_URL right?") from None


class _InTree:
    tells_locks = True

    def __init__(self, tree: _Tree, project: str) -> None:
        self.where = tree.where
        self._tree = tree
        self._project = project

    def stacks(self) -> list[str]:
        folder = f"{_STACKS}/{self._project}/"
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
        key = f"{_STACKS}/{self._project}/{stack}.json"
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
        keys = self._tree.keys(f"{_LOCKS}/{self._project}/")
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

    def __init__(self, environment: Mapping[str, str], where: str) -> None:
        self.where = where
        self._environment = environment

    def stacks(self) -> list[str]:
        return listed(self._environment)

    def state(self, stack: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = exported(self._environment, stack)["deployment"]
        return found

    def locks(self) -> dict[str, str]:
        return {}

    def delete_lock(self, key: str) -> None:
        raise RecoveryError(f"{self.where}: {key} cannot be deleted from here: pulumi cancel")
