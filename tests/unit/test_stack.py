from pathlib import Path

import pytest

from tenantry.stack import StackError, outputs


def pulumi(folder: Path, script: str) -> dict[str, str]:
    command = folder / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_outputs_are_read_masked_unless_secrets_are_asked_for(tmp_path: Path) -> None:
    environment = pulumi(tmp_path, """printf '{"arguments": "%s"}' "$*" """)
    assert outputs(environment) == {"arguments": "stack output --json --non-interactive"}
    assert outputs(environment, secrets=True) == {
        "arguments": "stack output --json --non-interactive --show-secrets"
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
