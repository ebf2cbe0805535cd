from __future__ import annotations

import ipaddress

import pytest

from localcloud.postgres.front import AddressError, bind, claim


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
