"""Children of the local cloud: started without a fork, tied to its life, and with nothing of its own about them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from localcloud.postgres.installation import _account
from localcloud.postgres.process import CommandError, launched, run

# The C library's own call behind pthread_atfork(3): whoever forks, its child ends by SIGABRT.
FORKS_ARE_FATAL = """
import ctypes
libc = ctypes.CDLL(None)
libc.__register_atfork(None, None, libc.abort, None)
"""
SERVES_GRPC = """
import grpc
from concurrent import futures
class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((Echo(),))
channel = grpc.insecure_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
server.start()
assert channel.unary_unary("/echo/echo")(b"x") == b"x"
"""
STARTS_CHILDREN = """
import asyncio, pathlib, sys, tempfile
from localcloud.postgres.installation import _account, _usable
from localcloud.postgres.process import run, spawn
async def start():
    root, account = pathlib.Path("/"), _account()
    for _ in range(20):
        await run(["true"], account=account, cwd=root)
    with tempfile.TemporaryFile() as log:
        for _ in range(5):
            server = await spawn(["true"], account=account, cwd=root, log=log)
            assert await server.wait() == 0, server.returncode
asyncio.run(start())
assert _usable(pathlib.Path("/"), _account())
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )


def output(*command: str) -> str:
    return asyncio.run(run(command, account=_account(), cwd=Path("/")))


def test_no_child_is_a_fork() -> None:
    ended = python(FORKS_ARE_FATAL + STARTS_CHILDREN)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_fork_would_have_been_seen() -> None:
    ended = python(FORKS_ARE_FATAL + "import os; print(os.waitpid(os.fork(), 0)[1])")
    assert ended.stdout == f"{int(signal.SIGABRT)}\n"


def test_grpc_in_the_same_process_does_not_notice_children() -> None:
    # Its handlers say on standard error that they could not do their work, and now and then they end the child.
    ended = python(SERVES_GRPC + STARTS_CHILDREN)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_child_has_the_signals_of_any_program() -> None:
    status = "grep", "Sig[BI]", "/proc/self/status"  # blocked, ignored
    usual = subprocess.run(status, check=True, capture_output=True, text=True)
    assert output(*status) == usual.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_of_root_a_child_keeps_nothing() -> None:
    account = _account()
    assert account is not None
    groups = output("grep", "-E", "^([UG]id|Groups|CapEff)", "/proc/self/status").split("\n")
    assert [line.split() for line in groups[:-1]] == [
        ["Uid:", *[str(account.uid)] * 4],
        ["Gid:", *[str(account.gid)] * 4],
        ["Groups:"],
        ["CapEff:", "0" * 16],
    ]


def test_of_a_parent_that_is_gone_no_child_is_started() -> None:
    command = launched(["echo", "started"], None, signal.SIGKILL)
    command[command.index(str(os.getpid()))] = "1"
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "")


def test_a_child_dies_with_its_parent() -> None:
    code = (
        "import os, signal, subprocess, time; from localcloud.postgres.process import launched;"
        "child = subprocess.Popen("
        "    launched(['sh', '-c', 'echo up; exec sleep 60'], None, signal.SIGKILL),"
        "    stdout=subprocess.PIPE,"
        ");"
        "child.stdout.readline(); print(child.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = python(code)
    assert ended.returncode == -signal.SIGKILL
    # A zombie, until somebody waits for it; an orphan's may go at any time. The signal is sent by then. It takes effect
    # when the child gets a processor.
    state, until = "", time.monotonic() + 10
    while state not in {"Z", "gone"} and time.monotonic() < until:
        try:
            stat = Path(f"/proc/{int(ended.stdout)}/stat").read_text()
            state = stat.rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            state = "gone"
    assert state in {"Z", "gone"}


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(
        CommandError,
        match=r"^/nowhere/initdb ended with status 127: /nowhere/initdb: No such file or directory$",
    ):
        output("/nowhere/initdb")
