from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from localcloud.postgres.certificates import Authority, prepare_authority
from localcloud.postgres.names import Names, pooled
from localcloud.postgres.refusal import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from localcloud.postgres.front import Gate

HOST = "ep-cool-fog-1a2b3c4d.us-east-2.aws.localhost"
POOLED = "ep-cool-fog-1a2b3c4d-pooler.us-east-2.aws.localhost"
GATE = cast("Gate", "gate")


@pytest.fixture
def names() -> Names:
    names = Names(Authority(b"", b""))
    names.add(HOST, GATE)
    return names


def test_the_pooled_host_follows_from_the_direct_one() -> None:
    assert pooled(HOST) == POOLED


@pytest.mark.parametrize("host", [HOST, POOLED])
def test_the_name_in_the_handshake_leads_to_the_endpoint(names: Names, host: str) -> None:
    assert names.lead(host, {}) == (GATE, host)
    assert names.lead(host.upper(), {}) == (GATE, host)
    assert [*names.gates()] == [GATE]
    names.remove(HOST)
    assert [*names.gates()] == []


@pytest.mark.parametrize("server_name", [None, "localhost"])
@pytest.mark.parametrize(
    ("options", "left"),
    [
        ("endpoint=ep-cool-fog-1a2b3c4d", ""),
        ("-c jit=off endpoint=ep-cool-fog-1a2b3c4d", "-c jit=off"),
    ],
)
def test_the_endpoint_in_the_options_leads_there_too_and_the_server_does_not_see_it(
    names: Names, server_name: str | None, options: str, left: str
) -> None:
    parameters = {"user": "u", "options": options}
    assert names.lead(server_name, parameters) == (GATE, HOST)
    assert parameters == {"user": "u", "options": left}


def test_who_names_nothing_or_what_is_not_there_is_refused_in_neons_words(names: Names) -> None:
    with pytest.raises(RefusedError, match="Endpoint ID is not specified"):
        names.lead(None, {"options": "-c jit=off"})
    for server_name, options in (("ep-other.localhost", ""), (None, "endpoint=ep-other")):
        with pytest.raises(RefusedError, match="requested endpoint could not be found"):
            names.lead(server_name, {"options": options})


def test_one_certificate_serves_a_region_and_a_new_region_gets_another(tmp_path: Path) -> None:
    async def run() -> None:
        names = Names(prepare_authority(tmp_path))
        names.add(HOST, GATE)
        first = await names.certificate()
        names.add("ep-two.us-east-2.aws.localhost", GATE)
        assert await names.certificate() is first
        names.add("ep-three.eu-west-2.aws.localhost", GATE)
        assert await names.certificate() is not first

    asyncio.run(run())
