"""A machine that resolves a domain to a loopback address, for the programs that are told to run on it.

They get a mount namespace of their own, in which ``/etc/resolv.conf`` names a resolver of the test. Every resolver
takes that: the C library's, Go's and Java's. It needs the rights of root.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN: Final = "cloud.test"

_QUESTION: Final = 12
_IPV4, _INTERNET = 1, 1
_ANSWERED, _NO_SUCH_NAME = 0x8180, 0x8183
_CHOICES: Final = 50
_ENTER: Final = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


@contextmanager
def resolving_machine(folder: Path, address: str) -> Iterator[tuple[str, ...]]:
    """Give what to put before a command so that names below the domain lead to the address for it.

    Skips the test where this process may not have such a machine.
    """
    resolver = _bind()
    if resolver is None or shutil.which("unshare") is None:
        pytest.skip("a machine of its own names needs root, and unshare")
    told = folder / "resolv.conf"
    told.write_text(f"nameserver {resolver.getsockname()[0]}\n")
    prefix = ("unshare", "--mount", "sh", "-ec", _ENTER, "sh", str(told))
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        resolver.close()
        pytest.skip("no mount namespace can be made here")
    thread = threading.Thread(target=_serve, args=(resolver, socket.inet_aton(address)))
    thread.start()
    try:
        yield prefix
    finally:
        # A datagram without a question ends it: closing a socket does not wake who waits for it.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", resolver.getsockname())
        thread.join()
        resolver.close()


def _bind() -> socket.socket | None:
    for choice in range(_CHOICES):
        number = (os.getpid() + choice) % 65_000
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with suppress(OSError):
            resolver.bind((f"127.53.{number // 250}.{number % 250 + 1}", 53))
            return resolver
        resolver.close()
    return None


def _serve(resolver: socket.socket, address: bytes) -> None:
    while True:
        query, client = resolver.recvfrom(512)
        if not query:
            return
        resolver.sendto(_answer(query, address), client)


def _answer(query: bytes, address: bytes) -> bytes:
    """Answer one question (RFC 1035, section 4): the address, or that the name has none of the kind."""
    labels, end = [], _QUESTION
    while length := query[end]:
        labels.append(query[end + 1 : end + 1 + length].decode().lower())
        end += 1 + length
    end += 5
    below = ".".join(labels).endswith(f".{DOMAIN}")
    found = below and query[end - 4 : end] == struct.pack("!HH", _IPV4, _INTERNET)
    flags = _ANSWERED if below else _NO_SUCH_NAME
    header = query[:2] + struct.pack("!5H", flags, 1, int(found), 0, 0)
    # The answer's name is the question's.
    record = struct.pack("!HHHLH", 0xC000 | _QUESTION, _IPV4, _INTERNET, 0, len(address)) + address
    return header + query[_QUESTION:end] + (record if found else b"")
