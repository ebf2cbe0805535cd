from pathlib import Path

import pytest

from tenantry.engine.building import go_environment
from tenantry.engine.installed import on_path
from tenantry.engine.pins import CLI
from tenantry.running.stack import outputs
from tenantry.secret_variables import CLOUDS, STATE, without_secrets
from tests.fake_pulumi import FakePulumi

SECRETS = {name: f"canary of {name}" for name in (*CLOUDS, *STATE)}


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


def test_neither_the_compiler_nor_a_program_that_is_only_asked_for_its_version_is_given_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert not set(go_environment()) & set(SECRETS)
    pulumi = FakePulumi(tmp_path)
    pulumi.answers("", out="{}")
    for other in CLI.executables[1:]:
        (tmp_path / other).symlink_to(tmp_path / "pulumi")
    # It names no version, so it is not taken.
    assert on_path(CLI, tmp_path / "bin") is None
    environment = pulumi.calls[-1].environment
    assert "PULUMI_SKIP_UPDATE_CHECK" in environment
    assert not any("canary" in value for value in environment.values())
