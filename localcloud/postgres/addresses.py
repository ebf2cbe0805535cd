"""Loopback addresses: chosen, listened on, and found behind names."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PORT = 5432
_BACKLOG = 128
_ATTEMPTS = 64
_RESOLVE_SECONDS = 5


class AddressError(Exception):
    """An address cannot be listened on; the message is one line and says what to do."""


def bind(address: str) -> socket.socket:
    """Return a listening socket on the address at PostgreSQL's port. Raises AddressError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, PORT))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise AddressError(
            f"{address}:{PORT}: cannot listen ({error.strerror}); end the program that does, "
            "which may be one that listens on 0.0.0.0"
        ) from error
    return listener


def claim(seed: str, name: str, taken: Collection[str]) -> tuple[str, socket.socket]:
    """Choose a loopback address for a name and listen on it.

    The choice follows from seed and name, so that two clouds on one machine seldom try the same; an address that is
    taken makes it go on to the next choice. Raises AddressError when none is free.
    """
    last: AddressError | None = None
    for attempt in range(_ATTEMPTS):
        digest = hashlib.sha256(f"{seed}/{name}/{attempt}".encode()).digest()
        # 127.64.0.0/10: away from 127.0.0.1 and from the few low addresses that programs give themselves.
        number = int.from_bytes(digest[:4], "big") % (1 << 22)
        address = str(ipaddress.IPv4Address((127 << 24) + (64 << 16) + number))
        if address in taken or address.endswith((".0", ".255")):
            continue
        try:
            return address, bind(address)
        except AddressError as error:
            last = error
    raise last or AddressError(f"no free loopback address for {name}")


async def resolve_below(domain: str) -> str:
    """Return the loopback address that names below a domain lead to, whichever they are. Raises AddressError."""
    # Nobody has told the machine of it: what resolves it resolves any other.
    name = f"ep-probe-pooler.region.platform.{domain}"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await loop.getaddrinfo(name, PORT, family=socket.AF_INET)
    except OSError as error:
        reason = error.strerror or "no answer in time"
        raise AddressError(f"names below {domain} do not resolve here ({reason})") from error
    addresses = sorted({str(each[4][0]) for each in found})
    if not all(ipaddress.ip_address(each).is_loopback for each in addresses):
        raise AddressError(
            f"names below {domain} lead to {addresses[0]}, which is not this machine"
        )
    return addresses[0]
