"""Machines: a network, processes and a name of their own, on this one. It needs root, `ip` and `unshare`.

Each has its own 127.0.0.1, on which a worker serves its program. The other addresses of the loopback, on which the
local cloud's hosts are, lead to this machine. Its API is on this machine's 127.0.0.1, so a relay has it elsewhere too.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_RELAY: Final = "127.213.77.1"
_INSIDE: Final = (
    "ip link set lo up",
    "ip addr add {net}.2/24 dev {inner}",
    "ip link set {inner} up",
    "sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.{inner}.route_localnet=1",
    "ip route del local 127.0.0.0/8 dev lo table local",
    "ip route replace local 127.0.0.1 dev lo table local",
    "ip route add 127.0.0.0/8 via {net}.1 dev {inner} src {net}.2",
)


@dataclass(frozen=True)
class Machine:
    """One of them."""

    name: str
    """Its host name."""
    namespace: str

    @property
    def command(self) -> list[str]:
        """What stands before a command that is to run there."""
        apart = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        named = ["sh", "-c", f'hostname {self.name} && exec "$@"', "sh"]
        return ["ip", "netns", "exec", self.namespace, *apart, *named]


@contextmanager
def machines(*names: str) -> Iterator[list[Machine]]:
    """Make machines for the length of a block."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("a network of its own needs root, ip and unshare")
    mark = f"t{os.getpid() % 100000}"
    made = []
    try:
        for number, name in enumerate(names):
            machine = Machine(name, f"{mark}-{number}")
            made.append(machine)
            _make(machine.namespace, f"10.{os.getpid() % 200 + 10}.{number + 1}")
        yield made
    finally:
        for machine in made:
            _run(f"ip netns del {machine.namespace}", check=False)
            _run(f"ip link del {machine.namespace}", check=False)


def _make(namespace: str, net: str) -> None:
    inner = f"{namespace}i"
    _run(f"ip netns add {namespace}")
    _run(f"ip link add {namespace} type veth peer name {inner} netns {namespace}")
    _run(f"ip addr add {net}.1/24 dev {namespace}")
    _run(f"ip link set {namespace} up")
    _run(f"sysctl -qw net.ipv4.conf.{namespace}.route_localnet=1")
    for each in _INSIDE:
        _run(f"ip netns exec {namespace} {each.format(net=net, inner=inner)}")


def _run(command: str, *, check: bool = True) -> None:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if check and done.returncode:
        pytest.skip(f"a network of its own cannot be made here: {command}: {done.stderr.strip()}")


@contextmanager
def relayed(url: str) -> Iterator[str]:
    """Have a server of this machine's 127.0.0.1 on an address that all machines reach, and give its URL there."""
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1"
    assert parts.port is not None
    port = parts.port
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))

    async def serve() -> None:
        server = await asyncio.start_server(accept, _RELAY, port)
        ready.set()
        with suppress(asyncio.CancelledError):
            await server.serve_forever()

    serving = loop.create_task(serve())
    thread = threading.Thread(target=loop.run_until_complete, args=[serving])
    thread.start()
    try:
        assert ready.wait(10)
        yield url.replace("127.0.0.1", _RELAY)
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join()
        loop.close()
