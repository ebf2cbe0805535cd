"""Hosts that are names: many lead to one address, and the client says in its handshake which one it means.

As on Neon, where the endpoint's id is the first label of its host. A client that cannot say it in the handshake may in
its options, as ``endpoint=ID``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from localcloud.postgres.addresses import bind
from localcloud.postgres.front import Listener
from localcloud.postgres.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localcloud.postgres.certificates import Authority, Certificate
    from localcloud.postgres.front import Gate

_POOLER = "-pooler"
_OPTION = "endpoint="


def pooled(host: str) -> str:
    """Return the pooled host that belongs to a direct one, by Neon's rule: its first label is longer by ``-pooler``."""
    label, dot, domain = host.partition(".")
    return f"{label}{_POOLER}{dot}{domain}"


class Names:
    """The entrance (:class:`localcloud.postgres.front.Entrance`) of all hosts that are names."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._gates: dict[str, Gate] = {}
        self._listeners: dict[str, Listener] = {}
        self._certificate: Certificate | None = None
        self._domains: frozenset[str] = frozenset()
        self._issuing = asyncio.Lock()

    def listen(self, address: str) -> None:
        """Accept connections on an address, unless that is so already. Raises AddressError."""
        if address not in self._listeners:
            self._listeners[address] = Listener(bind(address), self)

    async def close(self) -> None:
        """Stop accepting connections."""
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))

    def add(self, host: str, gate: Gate) -> None:
        """Lead a host, and the pooled one that belongs to it, to a gate."""
        self._gates |= {host: gate, pooled(host): gate}

    def remove(self, host: str) -> None:
        """Lead a host nowhere."""
        for each in (host, pooled(host)):
            self._gates.pop(each, None)

    async def certificate(self) -> Certificate:
        """See :class:`localcloud.postgres.front.Entrance`. As on Neon, one for all endpoints of a region."""
        async with self._issuing:
            domains = frozenset(host.partition(".")[2] for host in self._gates)
            if self._certificate is None or not domains <= self._domains:
                hosts = sorted(f"*.{domain}" for domain in domains)
                self._certificate = await asyncio.to_thread(self._authority.issue, hosts)
                self._domains = domains
        return self._certificate

    def lead(self, server_name: str | None, parameters: dict[str, str]) -> tuple[Gate, str]:
        """See :class:`localcloud.postgres.front.Entrance`. Neon's words where it leads nowhere."""
        endpoint = _take_endpoint(parameters)
        if endpoint is not None:
            host = next((each for each in self._gates if each.partition(".")[0] == endpoint), "")
        elif server_name is not None:
            host = server_name.lower()
        else:
            raise RefusedError(
                "Endpoint ID is not specified. Either please upgrade the postgres client library (libpq) for SNI "
                "support or pass the endpoint ID (first part of the domain name) as a parameter: "
                "'?options=endpoint%3D<endpoint-id>'. See more at https://neon.tech/sni"
            )
        gate = self._gates.get(host)
        if gate is None:
            raise RefusedError(
                "The requested endpoint could not be found, or you don't have access to it. "
                "Please check the provided ID and try again."
            )
        return gate, host

    def gates(self) -> Iterable[Gate]:
        """See :class:`localcloud.postgres.front.Entrance`."""
        return dict.fromkeys(self._gates.values())


def _take_endpoint(parameters: dict[str, str]) -> str | None:
    """Return the endpoint that the options name, and leave the server's in the parameters."""
    options = parameters.get("options", "").split(" ")
    named = [each for each in options if each.startswith(_OPTION)]
    if not named:
        return None
    parameters["options"] = " ".join(each for each in options if each not in named)
    return named[-1].removeprefix(_OPTION)
