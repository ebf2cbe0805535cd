from pathlib import Path

import pytest

from tenantry.fleet.workers import SHARED_STACK_BYTES, STACK_BYTES, available_memory, workers

GIB = 1024**3


@pytest.mark.parametrize(
    ("cores", "memory", "expected"),
    [
        (2, 16 * GIB, 4),
        (32, 64 * GIB, 16),
        (8, 1_000_000_000 + 3 * STACK_BYTES, 3),
        (2, 100, 1),
        (2, None, 4),
    ],
)
def test_cores_and_memory_bound_the_workers(
    cores: int, memory: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.fleet.workers.available_memory", lambda: None)
    assert workers(cores=cores, memory=memory) == expected


@pytest.mark.parametrize(
    ("memory", "expected"),
    [(16 * GIB, 24), (None, 24), (1_000_000_000 + 3 * SHARED_STACK_BYTES, 3), (100, 1)],
)
def test_memory_alone_bounds_the_stacks_of_a_shared_engine(
    memory: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.fleet.workers.available_memory", lambda: None)
    assert workers(shared=True, cores=1, memory=memory) == expected


def test_who_asks_for_a_number_gets_it() -> None:
    assert workers(40, cores=1, memory=1) == 40


def test_a_container_may_have_less_than_its_machine(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   8000000 kB\n")
    (tmp_path / "memory.max").write_text("2000000000\n")
    (tmp_path / "memory.current").write_text("500000000\n")
    assert available_memory(tmp_path / "meminfo", tmp_path) == 1_500_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path / "meminfo", tmp_path) == 8_192_000_000
    assert available_memory(tmp_path / "none", tmp_path / "none") is None
