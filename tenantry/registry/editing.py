"""Changes of one field in `tenants.yaml` that leave every other byte of the file as it is.

The file is not written anew from its values: only the text that has to change is replaced or inserted, at the places
that the YAML parser of `document` reports. Comments, order, quotes, layout and line ends stay. Afterwards the new text
is read again, and the change is refused unless the registry differs in that one field: an anchor that others use, or a
layout that has no room for the field, is left to the operator.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tenantry.registry.loading import parse
from tenantry.registry.problems import Problem, RegistryError, did_you_mean
from tenantry.registry.text import Node, compose, ending_at, line_behind, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.registry.models import ApiKey, App, Registry

_BOM: Final = "\ufeff"
# Behind which field of an API key a new one is written: the first of these that there is.
_BEHIND: Final = {"generation": ("scopes", "name"), "revoked": ("generation", "scopes", "name")}


class EditError(Exception):
    """The change cannot be made; one line: where, what, what to do."""


class NoSuchKeyError(EditError):
    """The registry has no such app, key or generation."""


@dataclass(frozen=True)
class RegistryFile:
    """A registry as it is on disk, and what it says."""

    path: Path
    content: bytes
    registry: Registry

    @classmethod
    def read(cls, path: Path) -> RegistryFile:
        """Read and check the file.

        :raises RegistryError: with every problem of the file
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            raise RegistryError([Problem(str(path), 0, 0, "", message)]) from None
        return cls(path, content, parse(content, str(path)))

    def text(self) -> tuple[str, str]:
        """Return the file's byte order mark, or nothing, and what follows it."""
        text = self.content.decode()
        bom = _BOM if text.startswith(_BOM) else ""
        return bom, text.removeprefix(_BOM)

    def app(self, app_id: str) -> App:
        """Return the app `tenant/app`.

        :raises NoSuchKeyError: there is none; the message names the nearest
        """
        try:
            return self.registry.app(app_id)
        except LookupError as error:
            raise NoSuchKeyError(f"{self.path}: {error.args[0]}") from None

    def api_key(self, app_id: str, key: str) -> ApiKey:
        """Return the key named `key` of the app `tenant/app`.

        :raises NoSuchKeyError: there is none; the message names the nearest
        """
        app, index = self.find(app_id, key)
        return app.api_keys[index]

    def find(self, app_id: str, key: str) -> tuple[App, int]:
        """Return the app, and the key's index in its list. Raises as `api_key` does."""
        app = self.app(app_id)
        names = [each.name for each in app.api_keys]
        if key not in names:
            have = f"it has {', '.join(names)}" if names else "it has none"
            raise NoSuchKeyError(
                f"{self.path}:{app.location.line}: {app_id} has no API key {key!r}: {have}"
                f"{did_you_mean(key, names)}"
            )
        return app, names.index(key)


@dataclass(frozen=True)
class Edit:
    """A change of a registry file that is not written yet. `before` equals `after` where there is nothing to change."""

    path: Path
    before: bytes
    after: bytes

    def diff(self) -> str:
        """Return the change as a unified diff that `patch` and `git apply` take; empty where there is none."""
        # Imported here: not every command shows one.
        import difflib

        name = self.path.as_posix()
        sides = (name, name) if self.path.is_absolute() else (f"a/{name}", f"b/{name}")
        lines = difflib.unified_diff(_lines(self.before), _lines(self.after), *sides)
        # A last line without an end is marked as diff does it.
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )

    def write(self) -> None:
        """Put the new content in the file's place at once, with the file's mode; a symbolic link stays one.

        :raises EditError: the file was changed since it was read, or cannot be written
        """
        target = Path(os.path.realpath(self.path))
        try:
            if target.read_bytes() != self.before:
                raise EditError(
                    f"{self.path}: was changed meanwhile: nothing was written; run this again"
                )
            if not os.access(target, os.W_OK):
                raise EditError(f"{self.path}: is read-only: nothing was written")
            _replace(target, self.after)
        except OSError as error:
            raise EditError(f"{self.path}: cannot be written: {error.strerror or error}") from None


def rotate_key(file: RegistryFile, app_id: str, key: str) -> Edit:
    """Raise the generation of an API key by one.

    :param app_id: `tenant/app`
    :param key: the key's name
    :raises NoSuchKeyError: there is no such key
    :raises EditError: the change would reach further
    """
    generation = file.api_key(app_id, key).generation + 1
    return _edited(file, app_id, key, "generation", generation)


def revoke_key(file: RegistryFile, app_id: str, key: str, generations: Iterable[int]) -> Edit:
    """Add generations to those of an API key that are revoked. What is revoked already is not written again.

    :raises NoSuchKeyError: there is no such key or generation
    :raises EditError: the change would reach further
    """
    found = file.api_key(app_id, key)
    wanted = sorted(set(generations))
    for generation in wanted:
        if not 1 <= generation <= found.generation:
            raise NoSuchKeyError(
                f"{file.path}: API key {key} of {app_id} has no generation {generation}: "
                f"write one from 1 to {found.generation}"
            )
    new = [generation for generation in wanted if generation not in found.revoked]
    if not new:
        return Edit(file.path, file.content, file.content)
    return _edited(file, app_id, key, "revoked", (*found.revoked, *new))


def _edited(
    file: RegistryFile, app_id: str, key: str, name: str, value: int | tuple[int, ...]
) -> Edit:
    """Set the field `name` of an API key."""
    bom, text = file.text()
    _, index = file.find(app_id, key)
    entry = _entry(file, text, app_id, index)
    start, end, new = _change(text, entry, name, value)
    after = (bom + text[:start] + new + text[end:]).encode()
    _judge(file, after, app_id, index, {name: value}, line_of(text, entry.start))
    return Edit(file.path, file.content, after)


def _change(
    text: str, entry: Node, name: str, value: int | tuple[int, ...]
) -> tuple[int, int, str]:
    """Return what part of the text to replace by what, so that the field `name` of the mapping has the value."""
    written = str(value) if isinstance(value, int) else f"[{', '.join(map(str, value))}]"
    node = entry.fields.get(name)
    if node is None:
        return _inserted(text, entry, name, written)
    if node.is_alias:
        return node.start, node.end, written
    if isinstance(value, int):
        # An anchor before the number stays.
        digits = re.search(r"[0-9]+\Z", text[node.start : node.end])
        return node.start + digits.start() if digits else node.start, node.end, written
    return _appended(text, node, value)


def _inserted(text: str, entry: Node, name: str, written: str) -> tuple[int, int, str]:
    before = next((each for each in _BEHIND[name] if each in entry.fields), [*entry.fields][-1])
    at = entry.fields[before].end
    if entry.in_brackets:
        return at, at, f", {name}: {written}"
    return line_behind(text, at, f"{' ' * entry.column}{name}: {written}")


def _appended(text: str, sequence: Node, values: tuple[int, ...]) -> tuple[int, int, str]:
    new = values[len(sequence.items) :]
    if not sequence.items:
        return sequence.end - 1, sequence.end - 1, ", ".join(map(str, new))
    last = sequence.items[-1]
    if sequence.in_brackets:
        return last.end, last.end, "".join(f", {value}" for value in new)
    line = max(text.rfind("\n", 0, last.start), text.rfind("\r", 0, last.start)) + 1
    indent = " " * (text.rfind("-", line, last.start) - line)
    ending = ending_at(text, last.end)
    return line_behind(text, last.end, ending.join(f"{indent}- {value}" for value in new))


def _entry(file: RegistryFile, text: str, app_id: str, index: int) -> Node:
    """Return the mapping of an app's API key, which must be written in the app itself."""
    tenant, _, app = app_id.partition("/")
    line = file.registry.app(app_id).location.line
    node = compose(text)
    for step in ("tenants", tenant, "apps", app, "api_keys"):
        inner = node.fields.get(step)
        if inner is None:
            raise EditError(
                f"{file.path}:{line}: the API keys of {app_id} are not written there (they come from defaults or "
                'through "<<"), so a change would reach other apps: give it an "api_keys" of its own'
            )
        node = inner
        refuse_alias(file, text, node, app_id)
    entry = node.items[index]
    refuse_alias(file, text, entry, app_id)
    return entry


def refuse_alias(file: RegistryFile, text: str, node: Node, app_id: str) -> None:
    """Refuse to change what an anchor shares.

    :raises EditError: the node is an alias
    """
    if node.is_alias:
        raise EditError(
            f"{file.path}:{line_of(text, node.start)}: {text[node.start : node.end]} is written elsewhere and shared, so "
            f"a change for {app_id} would reach further: write it out here"
        )


def _judge(
    file: RegistryFile, after: bytes, app_id: str, index: int, change: dict[str, Any], line: int
) -> None:
    """Refuse a new text whose registry differs from the old one in anything but the change."""
    by_hand = (
        f"write {'; '.join(f'{name}: {_flat(value)}' for name, value in change.items())} by hand"
    )
    try:
        registry = parse(after, str(file.path))
    except RegistryError:
        raise EditError(
            f"{file.path}:{line}: the API key is written in a form that has no room for the change: {by_hand}"
        ) from None
    wanted = {app.id: app.model_dump(mode="json") for app in file.registry.apps}
    wanted[app_id]["api_keys"][index] |= {
        name: list(value) if isinstance(value, tuple) else value for name, value in change.items()
    }
    found = {app.id: app.model_dump(mode="json") for app in registry.apps}
    others = [each for each in wanted if found.get(each) != wanted[each]]
    if others or len(found) != len(wanted) or registry.tenants != file.registry.tenants:
        raise EditError(
            f"{file.path}:{line}: the change would reach further ({', '.join(others)}), since an anchor is used "
            f"elsewhere: write the key out, then {by_hand}"
        )


def _flat(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _lines(content: bytes) -> list[str]:
    # Not splitlines: it breaks where neither YAML nor diff does.
    return re.findall(r"[^\n]*\n|[^\n]+", content.decode())


def _replace(target: Path, content: bytes) -> None:
    status = target.stat()
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            with contextlib.suppress(PermissionError):
                os.fchown(number, status.st_uid, status.st_gid)
            os.fchmod(number, stat.S_IMODE(status.st_mode))
            os.fsync(number)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
