from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest

from localcloud.postgres.addresses import AddressError, bind, claim, resolve_below


def test_a_name_gets_the_same_address_again_and_others_with_another_seed() -> None:
    first, listener = claim("seed", "ep-1/host", set())
    listener.close()
    second, listener = claim("seed", "ep-1/host", set())
    listener.close()
    other, listener = claim("another seed", "ep-1/host", set())
    listener.close()
    assert first == second != other
    assert ipaddress.ip_address(first) in ipaddress.ip_network("127.64.0.0/10")


def test_an_address_that_is_taken_is_passed_over() -> None:
    address, listener = claim("seed", "ep-2/host", set())
    with listener:
        beside, second = claim("seed", "ep-2/host", set())
        second.close()
    assert beside != address
    promised, third = claim("seed", "ep-2/host", {address})
    third.close()
    assert promised == beside


def test_binding_a_taken_address_says_which_and_what_to_do() -> None:
    address, listener = claim("seed", "ep-3/host", set())
    with listener, pytest.raises(AddressError) as caught:
        bind(address)
    assert f"{address}:5432: cannot listen" in str(caught.value)


def answering(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every name lead to these addresses, or to none; return the names that are asked for."""
    asked: list[str] = []

    def getaddrinfo(name: str, port: int, *_: object) -> list[tuple[object, ...]]:
        asked.append(name)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_domain_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "127.0.0.1")
    assert asyncio.run(resolve_below("localhost")) == "127.0.0.1"
    assert [name.endswith(".localhost") for name in asked] == [True]


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ((), r"names below a.test do not resolve here \(Name or service not known\)"),
        (("192.0.2.7",), "names below a.test lead to 192.0.2.7, which is not this machine"),
        (("127.0.0.1", "192.0.2.7"), "which is not this machine"),
    ],
)
def test_a_domain_that_leads_elsewhere_is_said_to(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], words: str
) -> None:
    answering(monkeypatch, *addresses)
    with pytest.raises(AddressError, match=words):
        asyncio.run(resolve_below("a.test"))
