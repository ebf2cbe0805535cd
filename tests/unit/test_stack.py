from pathlib import Path

import pytest

from tenantry.stack import StackError, outputs, setting


def pulumi(folder: Path, script: str) -> dict[str, str]:
    command = folder / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_outputs_are_read_masked_unless_secrets_are_asked_for(tmp_path: Path) -> None:
    environment = pulumi(tmp_path, """printf '{"arguments": "%s"}' "$*" """)
    assert outputs(environment) == {"arguments": "stack output --json --non-interactive"}
    assert outputs(environment, secrets=True) == {
        "arguments": "stack output --json --show-secrets --non-interactive"
    }


def test_a_failure_is_pulumis_own_last_line(tmp_path: Path) -> None:
    environment = pulumi(
        tmp_path, "echo warning: x >&2; echo error: no stack named dev >&2; exit 255"
    )
    with pytest.raises(StackError, match=r"^pulumi stack output: no stack named dev$"):
        outputs(environment)


def test_a_failure_without_a_word_tells_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="exit code 3"):
        outputs(pulumi(tmp_path, "exit 3"))


def test_without_pulumi_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make engine"):
        outputs({"PATH": str(tmp_path)})


def test_a_setting_is_read_in_clear(tmp_path: Path) -> None:
    environment = pulumi(tmp_path, 'echo "$*"')
    assert setting(environment, "tenantry:x") == "config get tenantry:x --non-interactive"


@pytest.mark.parametrize(
    "script",
    ["echo \"error: configuration key 'x' not found for stack 'dev'\" >&2; exit 1", "echo"],
)
def test_a_setting_that_is_not_there_is_none(tmp_path: Path, script: str) -> None:
    assert setting(pulumi(tmp_path, script), "tenantry:x") is None


def test_another_failure_is_not_taken_for_a_missing_setting(tmp_path: Path) -> None:
    environment = pulumi(tmp_path, "echo error: incorrect passphrase >&2; exit 1")
    with pytest.raises(StackError, match=r"^pulumi config get tenantry:x: incorrect passphrase$"):
        setting(environment, "tenantry:x")
