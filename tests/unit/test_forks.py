"""Nothing of the product asks for what makes a fork of a start: a fork runs gRPC's handlers in the child."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORKS = {"preexec_fn", "user", "group", "extra_groups"}
"""Options with which CPython does not use vfork(2) (Modules/_posixsubprocess.c)."""
STARTS = {
    "Popen",
    "run",
    "call",
    "check_call",
    "check_output",
    "create_subprocess_exec",
    "create_subprocess_shell",
}


def forks(code: str) -> Iterator[int]:
    """The lines that start a process by a fork."""
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        forked = ast.unparse(node.func) in {"os.fork", "os.forkpty"}
        asked = FORKS & {each.arg for each in node.keywords}
        if forked or (node.func.attr in STARTS and asked):
            yield node.lineno


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("import os\nos.fork()\n", [2]),
        ("subprocess.Popen(['x'], user=1)", [1]),
        ("await asyncio.create_subprocess_exec('x', preexec_fn=f)", [1]),
        ("subprocess.run(['x'], start_new_session=True, umask=0o77)", []),
        ("connect(user='x')", []),
    ],
)
def test_a_fork_is_found(code: str, lines: list[int]) -> None:
    assert list(forks(code)) == lines


@pytest.mark.parametrize("package", ["tenantry", "components", "providers", "localcloud"])
def test_no_process_is_started_by_a_fork(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in files
        for line in forks(file.read_text("utf-8"))
    ]
    assert found == []
