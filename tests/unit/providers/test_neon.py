import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from pulumi.dynamic import Config, ConfigureRequest

from providers.neon import BranchSettingProvider, ExpiryProvider, ProtectionProvider
from tenantry.neon.client import NeonError
from tenantry.neon.looking import NeonClient
from tests.unit.recovery.project import neon_client

PLACE = {"project": "p-1", "branch": "br-1"}
MAIN = PLACE | {"protected": True}
BRIEF = PLACE | {"expiresAt": "2099-01-02T00:00:00Z"}


class Branch:
    """One branch of Neon's API. `there`: whether there is one."""

    def __init__(self) -> None:
        self.there = True
        self.has: dict[str, Any] = {"protected": False}
        self.refusal: dict[str, Any] | None = None
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if not self.there:
            return httpx.Response(404, json={"message": "branch not found"})
        if request.method == "PATCH":
            if self.refusal is not None:
                return httpx.Response(422, json=self.refusal)
            self.has |= json.loads(request.content)["branch"]
        return httpx.Response(200, json={"branch": self.has})


@pytest.fixture
def branch(monkeypatch: pytest.MonkeyPatch) -> Branch:
    made = Branch()

    def connect(settings: Mapping[str, str], _: Mapping[str, str]) -> NeonClient:
        assert settings == {"neon:apiKey": "napi_kept"}
        return neon_client(made)

    monkeypatch.setattr("tenantry.neon.looking.connect", connect)
    return made


def configured(kind: type[BranchSettingProvider] = ProtectionProvider) -> BranchSettingProvider:
    provider = kind()
    provider.configure(ConfigureRequest(Config({"neon:apiKey": "napi_kept"}, "tenantry")))
    return provider


@pytest.mark.parametrize(
    ("kind", "wanted", "field", "value", "by_hand", "without"),
    [
        (ProtectionProvider, MAIN, "protected", True, False, False),
        (ExpiryProvider, BRIEF, "expires_at", "2099-01-02T00:00:00Z", None, None),
    ],
)
def test_it_is_set_kept_read_and_taken_back(
    branch: Branch,
    kind: type[BranchSettingProvider],
    wanted: dict[str, Any],
    field: str,
    value: object,
    by_hand: object,
    without: object,
) -> None:
    provider = configured(kind)
    made = provider.create(wanted)
    assert (made.id, made.outs) == ("p-1/br-1", wanted)
    assert branch.asked == ["PATCH /api/v2/projects/p-1/branches/br-1"]
    assert branch.has[field] == value
    assert provider.read("p-1/br-1", wanted).outs == wanted
    branch.has[field] = by_hand
    found = provider.read("p-1/br-1", wanted)
    assert found.outs == wanted | {kind.setting: by_hand}
    assert provider.diff("p-1/br-1", found.outs or {}, wanted).changes
    assert provider.update("p-1/br-1", found.outs or {}, wanted).outs == wanted
    assert branch.has[field] == value
    provider.delete("p-1/br-1", wanted)
    assert branch.has[field] == without


def test_fractions_of_a_second_are_no_difference(branch: Branch) -> None:
    branch.has["expires_at"] = "2099-01-02T01:00:00.000000+01:00"
    assert configured(ExpiryProvider).read("p-1/br-1", BRIEF).outs == BRIEF
    # The API leaves out what there is none of.
    del branch.has["expires_at"]
    assert configured(ExpiryProvider).read("p-1/br-1", BRIEF).outs == BRIEF | {"expiresAt": None}


def test_a_branch_that_is_gone_is_gone(branch: Branch) -> None:
    provider = configured()
    branch.there = False
    assert provider.read("p-1/br-1", MAIN).id is None
    provider.delete("p-1/br-1", MAIN)
    with pytest.raises(NeonError, match="p-1 has no branch br-1 any more"):
        provider.create(MAIN)


def test_what_neon_refuses_is_told_in_its_words(branch: Branch) -> None:
    branch.refusal = {"message": "protected branches limit of 0 exceeded, got 0"}
    with pytest.raises(NeonError, match=r"422 .*protected branches limit of 0 exceeded"):
        configured().create(MAIN)


@pytest.mark.parametrize(
    ("changed", "replaces"),
    [
        ({}, []),
        ({"protected": False}, []),
        ({"project": "p-2", "branch": "br-2"}, ["project", "branch"]),
    ],
)
def test_another_branch_is_another_resource(changed: dict[str, Any], replaces: list[str]) -> None:
    found = ProtectionProvider().diff("", MAIN, MAIN | changed)
    assert (found.changes, found.replaces) == (bool(changed), replaces)
