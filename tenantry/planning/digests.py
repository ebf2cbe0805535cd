"""What a plan was made of, as digests: SHA-256 over JSON that is the same for the same thing."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tenantry.planning.events import Run, State
    from tenantry.planning.plan import Row

_PROGRAM: Final = ("Pulumi.yaml", "__main__.py")
_SECRET: Final = "4dabf18193072939515e22adb298388d"  # noqa: S105 the engine's mark of a value that is not plain (`resource.SigKey`)
_OWN: Final = ""
"""The key of what belongs to no app."""


def registry_digests(run: Run) -> dict[str, str]:
    """Return a digest of each selected app as the registry declares it."""
    return {
        step.name: declared_digest(step.new.outputs.get("declared"))
        for step in run.apps
        if step.new is not None
    }


def declared_digest(declared: object) -> str:
    """Return a digest of one app as it is declared (`registry.declared`)."""
    return _digest(declared)


def state_digests(run: Run) -> dict[str, str]:
    """Return a digest of what the stack held of each app when the run began, and of what it held beside them.

    It is over what was asked for, not over what a cloud tells of it. An `up` or a refresh that changes nothing leaves
    it as it is, although both write the state anew with other times and ciphertexts, and a refresh fills in what a
    provider knows. These change it: a resource that comes, goes, is replaced (another id) or protected; an input, also
    one that a refresh found changed; the outputs of the apps' own components.
    """
    held: dict[str, dict[str, Any]] = defaultdict(dict)
    for step in run.resources:
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
    # Imported here: reading events does not need it.
    from tenantry.running import program

    whole = hashlib.sha256(program.program_digest(revisions=True).encode())
    for name in _PROGRAM:
        if (folder / name).exists():
            whole.update(f"\0{name}\0".encode() + (folder / name).read_bytes())
    return whole.hexdigest()


def deployment_digest(state: Mapping[str, Any] | None) -> str:
    """Return the digest of `state_digests` from a stack's state instead of a run's events.

    :param state: as a backend keeps it, secrets encrypted; None where there is none
    """
    return _digest(
        {
            each["urn"]: {
                "id": each.get("id"),
                "protect": bool(each.get("protect")),
                "retain": bool(each.get("retainOnDelete")),
                "inputs": _plain(_masked(each.get("inputs"))),
                "outputs": {} if each.get("custom") else _plain(_masked(each.get("outputs"))),
            }
            for each in (state or {}).get("resources") or ()
        }
    )


def _masked(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Replace every ciphertext by one word: each write makes another ciphertext."""
    if isinstance(value, dict):
        return (
            "[secret]" if _SECRET in value else {key: _masked(each) for key, each in value.items()}
        )
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _held(state: State, *, custom: bool) -> dict[str, Any]:
    return {
        "id": state.id,
        "protect": state.protect,
        "retain": state.retain,
        "inputs": _plain(state.inputs),
        "outputs": {} if custom else _plain(state.outputs),
    }


def _plain(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Drop what a refresh rewrites without a change: empty values, a bridge's own marks, the order of words."""
    if isinstance(value, dict):
        kept = {key: _plain(each) for key, each in value.items() if not key.startswith("__")}
        return {key: each for key, each in kept.items() if each not in (None, [], {}, "")}
    if isinstance(value, list):
        return sorted((_plain(each) for each in value), key=json.dumps)
    return value


def _digest(value: Any) -> str:  # noqa: ANN401  # any JSON value
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
