"""What a plan was made of, as digests: SHA-256 over JSON that says the same for the same thing."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tenantry.planning.events import Run, State
    from tenantry.planning.plan import Row

_PACKAGES: Final = ("components", "providers", "tenantry")
_PROGRAM: Final = ("Pulumi.yaml", "__main__.py")
_DISTRIBUTIONS: Final = ("pulumi", "pulumi_neon", "pulumi_postgresql", "pulumi_random")
_OWN: Final = ""
"""The key of what belongs to no app."""


def registry_digests(run: Run) -> dict[str, str]:
    """Return a digest of each selected app as the registry declares it."""
    return {
        step.name: _digest(step.new.outputs.get("declared"))
        for step in run.apps
        if step.new is not None
    }


def state_digests(run: Run) -> dict[str, str]:
    """Return a digest of what the stack held of each app when the run began, and of what it held beside them.

    It is over what was asked for, not over what a cloud tells of it: an `up` or a refresh that changes nothing leaves it as it is,
    though both write the state anew with other times and ciphertexts, and a refresh fills in what a provider knows. What changes it:
    a resource that comes, goes, is replaced (another id) or protected, an input, also one that a refresh found changed, and the
    outputs of the apps' own components.
    """
    held: dict[str, dict[str, Any]] = defaultdict(dict)
    for step in run.steps:
        if step.old is not None:
            held[step.app or _OWN][step.urn] = _held(step.old, custom=step.custom)
    return {app: _digest(resources) for app, resources in held.items()}


def change_digests(rows: Iterable[Row]) -> dict[str, str]:
    """Return a digest of each row of one stack."""
    return {row.app or _OWN: _digest(row.model_dump(mode="json")) for row in rows}


def program_digest(folder: Path) -> str:
    """Return a digest of the program, of our packages, and of the versions of what they are built on.

    :param folder: the folder of `Pulumi.yaml`
    """
    # Imported here: a reader of events needs neither.
    from importlib import metadata, util  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    whole = hashlib.sha256()
    for name in _DISTRIBUTIONS:
        whole.update(f"{name} {metadata.version(name)}\n".encode())
    files = [(name, folder / name) for name in _PROGRAM if (folder / name).exists()]
    for package in _PACKAGES:
        spec = util.find_spec(package)
        root = Path(spec.origin).parent if spec and spec.origin else folder / package
        files += [
            (f"{package}/{path.relative_to(root).as_posix()}", path)
            for path in sorted(root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        ]
    for name, path in files:
        whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _held(state: State, *, custom: bool) -> dict[str, Any]:
    return {
        "id": state.id,
        "protect": state.protect,
        "retain": state.retain,
        "inputs": _plain(state.inputs),
        "outputs": {} if custom else _plain(state.outputs),
    }


def _plain(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Drop what a refresh writes anew without a change: empty values, a bridge's own marks, the order of words."""
    if isinstance(value, dict):
        kept = {key: _plain(each) for key, each in value.items() if not key.startswith("__")}
        return {key: each for key, each in kept.items() if each not in (None, [], {}, "")}
    if isinstance(value, list):
        return sorted((_plain(each) for each in value), key=json.dumps)
    return value


def _digest(value: Any) -> str:  # noqa: ANN401  # any JSON value
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
