"""From a file to a Registry: read, validate, apply defaults, check, and report all faults at once."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tenantry.registry.completing import Resolver
from tenantry.registry.document import Map
from tenantry.registry.faults import Faults
from tenantry.registry.messages import is_about_key, message, path_of
from tenantry.registry.problems import Problem, RegistryError
from tenantry.registry.reading import read
from tenantry.registry.written import registry as written
from tenantry.registry.written.rules import wrong_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from tenantry.registry import models
    from tenantry.registry.document import Document, Path


@contextmanager
def _paused_collector() -> Iterator[None]:
    """Keep the garbage collector from a large file's values: it would go through them often, and free none.

    What there is at the end is left out of later collections too, or the next one would take 0.3 s for 10,000 apps. It
    is freed when nothing refers to it any more, as everything is that is in no circle.
    """
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if ran:
            gc.enable()


def load(path: FilePath | str) -> models.Registry:
    """Read and check the registry in the file `path`.

    :raises RegistryError: with every problem of the file, in the order of the lines; a file that cannot be read is one
        problem without a line
    """
    file = str(path)
    try:
        content = FilePath(path).read_bytes()
    except FileNotFoundError:
        raise RegistryError(
            [Problem(file, 0, 0, "", "does not exist: name the registry's file, or create it")]
        ) from None
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise RegistryError([Problem(file, 0, 0, "", reason)]) from None
    return parse(content, file)


@_paused_collector()
def parse(content: bytes, file: str = "tenants.yaml") -> models.Registry:
    """Check a registry that is in memory; `file` is its name in messages. Raises as `load` does."""
    source = read(content, file)
    faults = Faults(source)
    registry = Resolver(source, faults).registry(_validate(source, faults))
    if faults.problems:
        raise RegistryError(faults.problems)
    return registry


def _validate(source: Document, faults: Faults) -> written.Registry:
    """Return the registry as written; where it has faults, what is left without the faulty values."""
    if not isinstance(source.root, Map):
        faults.add((), wrong_kind("a mapping with version and tenants", source.root))
        raise RegistryError(faults.problems)
    dropped = {_up_to_list(path) for path in source.bad}
    content: dict[str, object] = source.root
    while True:
        if dropped:
            content = {"version": 1, "tenants": {}} | _without(source.root, dropped, ())
        try:
            return written.Registry.model_validate(content)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        for each in [each for each in errors if not faults.covers(path_of(each))]:
            _report(each, faults)
        more = {_to_drop(each) for each in errors}
        if more <= dropped:
            raise RegistryError(faults.problems)
        dropped |= more


def _report(error: ErrorDetails, faults: Faults) -> None:
    path = path_of(error)
    kind = error["type"]
    at_key = kind == "extra_forbidden" or is_about_key(error)
    text = message(error, path, written.Registry, faults.source.written)
    faults.add(path, text, key=at_key, missing=kind == "missing")


def _to_drop(error: ErrorDetails) -> Path:
    """Return the smallest part of the file without which this error does not come again."""
    path = path_of(error)
    return _up_to_list(path[:-1] if error["type"] == "missing" and len(path) > 1 else path)


def _up_to_list(path: Path) -> Path:
    # A whole list is dropped: without one item, the others would have other numbers.
    return next((path[:n] for n, step in enumerate(path) if isinstance(step, int)), path)


def _without(value: dict[str, object], dropped: set[Path], path: Path) -> dict[str, object]:
    kept = {key: each for key, each in value.items() if (*path, key) not in dropped}
    return {
        key: _without(each, dropped, (*path, key)) if isinstance(each, dict) else each
        for key, each in kept.items()
    }
