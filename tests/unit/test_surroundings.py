from pathlib import Path

import httpx
import pytest
from psycopg.pq import Conninfo

from tenantry.engine.building import go_environment
from tenantry.engine.installed import on_path
from tenantry.engine.pins import CLI
from tenantry.running.stack import outputs
from tenantry.surroundings import (
    CLOUDS,
    STATE,
    direct_mounts,
    drop_libpq,
    without_foreign,
    without_secrets,
)
from tests.fake_pulumi import FakePulumi

SECRETS = {name: f"canary of {name}" for name in (*CLOUDS, *STATE)}


HOSTILE = {
    "PGHOST": "10.255.255.1",
    "PGSSLMODE": "disable",
    "PGSERVICE": "nope",
    "PGOPTIONS": "-c search_path=nope",
    "PYTHONPATH": "/nowhere",
    "PYTHONHOME": "/nowhere",
    "GIT_DIR": "/nowhere",
    "GIT_CONFIG_COUNT": "1",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "tr_TR.UTF-8",
    "PULUMI_PARALLEL": "1",
    "PULUMI_DEBUG_PROVIDERS": "random:1",
    "PULUMI_SKIP_CHECKPOINTS": "true",
    "PULUMI_STACKS": "no name of Pulumi's",
}
WANTED = {
    "PATH": "/bin",
    "HOME": "/home/ann",
    "PULUMI_STACK": "dev",
    "PULUMI_BACKEND_URL": "file:///state",
    "PULUMI_DIY_BACKEND_GZIP": "true",
    "HTTPS_PROXY": "http://proxy:3128",
    "NEON_API_KEY": "of-a-test",
    "PYTHONUNBUFFERED": "1",
    "GIT_SSH_COMMAND": "ssh",
}


def test_every_variable_that_the_docs_call_secret_is_left_out() -> None:
    environment = {"PATH": "/bin", "AURA_CLIENT_ID": "an id", **SECRETS}
    assert without_secrets(environment) == {"PATH": "/bin", "AURA_CLIENT_ID": "an id"}
    assert set(without_secrets(environment, keep=STATE)) - {"PATH", "AURA_CLIENT_ID"} == set(STATE)


def test_who_reads_a_stack_is_given_what_decrypts_it_and_nothing_of_the_clouds(
    tmp_path: Path,
) -> None:
    pulumi = FakePulumi(tmp_path)
    pulumi.answers("", out="{}")
    assert outputs({**pulumi.environment, **SECRETS}) == {}
    (call,) = pulumi.calls
    given = {name for name, secret in SECRETS.items() if call.environment.get(name) == secret}
    assert given == set(STATE)


def test_neither_the_compiler_nor_a_program_that_is_only_asked_for_its_version_is_given_more_than_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**SECRETS, **HOSTILE}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    needless = set(SECRETS) | (set(HOSTILE) - {"LC_ALL"})
    assert not set(go_environment()) & needless
    pulumi = FakePulumi(tmp_path)
    pulumi.answers("", out="{}")
    for other in CLI.executables[1:]:
        (tmp_path / other).symlink_to(tmp_path / "pulumi")
    # It names no version, so it is not taken.
    assert on_path(CLI, tmp_path / "bin") is None
    environment = pulumi.calls[-1].environment
    assert "PULUMI_SKIP_UPDATE_CHECK" in environment
    assert not set(environment) & needless


def test_what_changes_how_a_program_works_is_left_out_and_the_rest_stays() -> None:
    given = without_foreign({**HOSTILE, **WANTED})
    assert {name: given.get(name) for name in WANTED} == WANTED
    assert not set(given) & (set(HOSTILE) - {"LC_ALL"})
    assert given["LC_ALL"] == "C.UTF-8"


def test_every_variable_that_libpq_knows_is_left_out() -> None:
    known = [each.envvar.decode() for each in Conninfo.get_defaults() if each.envvar]
    assert len(known) > 20
    environment = dict.fromkeys(known, "x")
    assert not set(without_foreign(environment)) & set(known)
    drop_libpq(environment)
    assert environment == {}


@pytest.mark.parametrize("said", ["", "internal.example", " a.example , .b.example ", "*"])
def test_loopback_goes_without_a_proxy_beside_what_the_operator_said(said: str) -> None:
    given = without_foreign({"NO_PROXY": said})
    hosts = given["NO_PROXY"].split(",")
    assert hosts == given["no_proxy"].split(",") == given["no_grpc_proxy"].split(",")
    assert {"127.0.0.1", "localhost", "::1"} <= set(hosts)
    assert set(said.replace(" ", "").split(",")) - {""} <= set(hosts)
    assert not any(" " in each for each in hosts)


@pytest.mark.parametrize(
    ("url", "through"),
    [
        ("http://127.0.0.1:9/x", False),
        ("http://localhost:9/x", False),
        ("http://api.localhost:9/x", False),
        ("http://[::1]:9/x", False),
        ("https://console.neon.tech/api/v2", True),
        ("https://a.internal/x", False),
    ],
)
def test_only_other_machines_are_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str, through: bool
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", " a.internal , b.internal")
    monkeypatch.delenv("no_proxy", raising=False)
    with httpx.Client(mounts=direct_mounts()) as client:
        direct = client._transport
        assert (client._transport_for_url(httpx.URL(url)) is not direct) is through
