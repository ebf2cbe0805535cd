import gzip
import json
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from tenantry.states.history import message
from tenantry.states.store import Store, open_store

DIGEST = "0123456789abcdef" * 4
STATE = '{"version":4,"checkpoint":{"stack":"organization/t/acme--web","latest":{"manifest":{"time":"%s","magic":"x"},"resources":[]}}}'
NOON, LATER = "2026-11-22T12:00:00.123456789Z", "2026-11-22T12:00:07.5Z"
PACKS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstd.compress,
}


class Backend:
    """A folder as the engine leaves it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packed = ""

    def state(self, stack: str, time: str) -> None:
        self._write(f"stacks/t/{stack}.json", STATE % time)

    def update(self, stack: str, number: int, time: str, **facts: Any) -> None:
        entry = {
            "kind": "update",
            "result": "succeeded",
            "message": message("acme/web", DIGEST),
            "endTime": 1795348800,
            **facts,
        }
        stem = f"history/t/{stack}/{stack}-{1795348800000000000 + number}"
        self._write(f"{stem}.history.json", json.dumps(entry))
        self._write(f"{stem}.checkpoint.json", STATE % time)

    def history(self) -> Store:
        return open_store({"PULUMI_BACKEND_URL": self.root.as_uri()}, "t")

    def _write(self, name: str, text: str) -> None:
        file = self.root / ".pulumi" / f"{name}{self.packed}"
        file.parent.mkdir(parents=True, exist_ok=True)
        content = text.encode()
        file.write_bytes(PACKS[self.packed](content))
        file.with_name(f"{file.name}.attrs").write_text("{}")


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(tmp_path)


@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
def test_a_success_with_its_inputs_is_found(backend: Backend, packed: str) -> None:
    backend.packed = packed
    backend.update("acme--web", 1, NOON, result="failed")
    backend.update("acme--web", 2, LATER)
    backend.state("acme--web", LATER)
    history = backend.history()
    assert history.stacks() == {"acme--web"}
    update = history.last(["acme--web"])["acme--web"]
    assert update.applied(DIGEST)
    assert update.app == "acme/web"
    assert update.ended == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert not update.applied("f" * 64)


@pytest.mark.parametrize(
    "facts",
    [
        {"result": "failed"},
        {"kind": "refresh"},
        {"kind": "destroy"},
        {"message": ""},
        {"message": "by hand"},
    ],
)
def test_any_other_last_update_is_no_such_success(backend: Backend, facts: dict[str, str]) -> None:
    backend.update("acme--web", 1, NOON)
    backend.update("acme--web", 2, LATER, **facts)
    backend.state("acme--web", LATER)
    assert not backend.history().last(["acme--web"])["acme--web"].applied(DIGEST)


def test_a_state_that_somebody_wrote_since_is_not_settled(backend: Backend) -> None:
    # As after a run that was killed, and after an edit of the state: no update tells of them.
    backend.update("acme--web", 1, NOON)
    backend.state("acme--web", LATER)
    update = backend.history().last(["acme--web"])["acme--web"]
    assert not update.settled
    assert not update.applied(DIGEST)


def test_a_state_that_is_packed_otherwise_than_its_update_is_found(backend: Backend) -> None:
    backend.update("acme--web", 1, NOON)
    backend.packed = ".gz"
    backend.state("acme--web", NOON)
    assert backend.history().last(["acme--web"])["acme--web"].settled


def test_an_entry_that_was_cut_off_is_none_to_rely_on(backend: Backend) -> None:
    backend.update("acme--web", 1, NOON)
    backend.state("acme--web", NOON)
    (entry,) = backend.root.rglob("*.history.json")
    entry.write_text(entry.read_text()[:40])
    assert not backend.history().last(["acme--web"])["acme--web"].applied(DIGEST)


def test_a_stack_without_an_update_has_none(backend: Backend) -> None:
    backend.state("acme--web", NOON)
    assert backend.history().stacks() == {"acme--web"}
    assert backend.history().last(["acme--web", "acme--lab"]) == {}


def test_an_empty_backend_has_no_stacks(backend: Backend) -> None:
    assert backend.history().stacks() == set()


PULUMI = """#!{python}
import sys
if sys.argv[1:3] == ["stack", "ls"]:
    print('[{{"name": "acme--web", "lastUpdate": "{written}"}}, {{"name": "new", "lastUpdate": null}}]')
elif "new" in sys.argv:
    print("[]")
else:
    print('[{{"kind": "update", "result": "succeeded", "message": "{message}", "endTime": "2026-11-22T12:00:07.000Z"}}]')
"""


@pytest.mark.parametrize(
    ("written", "settled"),
    [("2026-11-22T12:00:07.500Z", True), ("2026-11-22T12:00:09.000Z", False)],
)
def test_any_other_backend_is_asked_through_the_engine(
    tmp_path: Path, written: str, settled: bool
) -> None:
    command = tmp_path / "pulumi"
    command.write_text(
        PULUMI.format(python=sys.executable, written=written, message=message("acme/web", DIGEST))
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    history = open_store({"PULUMI_BACKEND_URL": "s3://bucket", "PATH": str(tmp_path)}, "t")
    assert not history.tells_locks
    assert history.stacks() == {"acme--web", "new"}
    found = history.last(["acme--web", "new"])
    assert set(found) == {"acme--web"}
    assert found["acme--web"].applied(DIGEST) is settled


def test_who_was_behind_an_update_is_told_where_the_engine_noted_it(backend: Backend) -> None:
    for stack, noted in (
        ("a", {"environment": {"exec.agent": "octocat"}}),
        ("b", {}),
        ("c", {"environment": {}}),
    ):
        backend.state(stack, NOON)
        backend.update(stack, 1, NOON, **noted)
    found = backend.history().last(["a", "b", "c"])
    assert [found[stack].actor for stack in "abc"] == ["octocat", None, None]
    assert found["a"].told == "update succeeded"
