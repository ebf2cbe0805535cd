"""A registry on disk, and a change of it, which is shown as a diff or written. `editor` makes the changes."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenantry.errors import TenantryError, did_you_mean
from tenantry.registry.loading import parse
from tenantry.registry.problems import Problem, RegistryError
from tenantry.registry.reading import read

if TYPE_CHECKING:
    from tenantry.registry.models import ApiKey, App, Registry


class EditError(TenantryError):
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

    def text(self) -> str:
        """Return the file's text, without its byte order mark."""
        return self.content.decode("utf-8-sig")

    @cached_property
    def values(self) -> Any:  # noqa: ANN401  # the values of a YAML file
        """What is written: plain values, with anchors and `<<` followed, and no defaults."""
        return read(self.content, str(self.path)).root

    def encoded(self, text: str) -> bytes:
        """Return the bytes of another text for this file, with its byte order mark where it has one."""
        return text.encode("utf-8-sig" if self.content.startswith(codecs.BOM_UTF8) else "utf-8")

    def edited(self, edit: Edit) -> RegistryFile:
        """Return the file as a change would leave it, for one more change."""
        return RegistryFile(self.path, edit.after, parse(edit.after, str(self.path)))

    def app(self, app_id: str) -> App:
        """Return the app `tenant/app`.

        :raises NoSuchKeyError: there is none; the message names the nearest
        """
        try:
            return self.registry.app(app_id)
        except LookupError as error:
            elsewhere = (
                ": one that was asked for is changed through the service"
                if self.registry.self_service
                else ""
            )
            raise NoSuchKeyError(f"{self.path}: {error.args[0]}{elsewhere}") from None

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
