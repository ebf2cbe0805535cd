"""The local issuer: its tokens are what the service takes."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tenantry.service.tokens import Caller, Issuer, TokenError, Tokens
from tests.localcloud_fixture import local_cloud, localcloud, start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.localcloud_fixture import LocalCloud


def token(cloud: LocalCloud, *options: str) -> str:
    return localcloud("token", cloud.data, *options).stdout.removesuffix("\n")


def verified(cloud: LocalCloud, text: str, url: str = "") -> Caller:
    issuer = Issuer(
        issuer=cloud.issuer_url,
        audience="tenantry",
        algorithms=("RS256",),
        jwks_url=url or f"{cloud.issuer_url}/.well-known/jwks.json",
    )

    async def scene() -> Caller:
        async with httpx.AsyncClient() as client:
            return await Tokens([issuer], client).verify(text)

    return asyncio.run(scene())


def test_the_service_takes_its_tokens(cloud: LocalCloud) -> None:
    text = token(cloud, "--tenant", "acme", "--scope", "apps:read apps:secrets")
    assert verified(cloud, text) == Caller(
        "local", cloud.issuer_url, "acme", frozenset({"apps:read", "apps:secrets"}), "token"
    )
    text = token(cloud, "--subject", "ann", "--scope", "fleet:admin")
    assert verified(cloud, text) == Caller(
        "ann", cloud.issuer_url, None, frozenset({"fleet:admin"}), "token"
    )


def test_a_token_ends_when_it_is_told_to_and_is_for_whom_it_is_told(cloud: LocalCloud) -> None:
    with pytest.raises(TokenError, match="expired"):
        verified(cloud, token(cloud, "--seconds", "-60"))
    with pytest.raises(TokenError, match="another audience"):
        verified(cloud, token(cloud, "--audience", "other"))
    made: dict[str, Any] = json.loads(token(cloud, "--json"))
    assert verified(cloud, made["token"]).subject == "local"
    assert made["expires_at"] > 1_700_000_000


def test_the_key_is_the_owners_and_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with local_cloud(data) as cloud:
        before = token(cloud)
        assert verified(cloud, before)
        assert stat.S_IMODE((data / "issuer.key").stat().st_mode) == 0o600
        assert [each.name for each in data.glob("issuer.key*")] == ["issuer.key"]
        localcloud("stop", data)
        stopped = localcloud("token", data, check=False)
        assert (stopped.returncode, stopped.stdout) == (1, "")
        assert "localcloud start" in stopped.stderr
        again = start(data)
        assert again.issuer_url == cloud.issuer_url
        assert verified(again, before)
        secret = (data / "issuer.key").read_text().splitlines()[1]
        assert before not in (data / "localcloud.log").read_text()
        shown = httpx.get(f"{again.issuer_url}/.well-known/jwks.json")
        assert secret not in shown.text
        assert set(shown.json()["keys"][0]) & {"d", "p", "q"} == set()


def test_it_serves_nothing_else(cloud: LocalCloud) -> None:
    for path in ("/", "/issuer.key", "/token"):
        assert httpx.get(f"{cloud.issuer_url}{path}").status_code == 404
