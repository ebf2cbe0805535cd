from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenantry.running.errors import StackError
from tenantry.running.stack import (
    backend_url,
    export_state,
    import_state,
    list_stacks,
    outputs,
    selected,
    setting,
    updates,
)
from tests.fake_pulumi import scripted


def test_outputs_are_read_masked_unless_secrets_are_asked_for(tmp_path: Path) -> None:
    environment = scripted(tmp_path, """printf '{"arguments": "%s"}' "$*" """)
    assert outputs(environment) == {"arguments": "stack output --json --non-interactive"}
    assert outputs(environment, secrets=True) == {
        "arguments": "stack output --json --show-secrets --non-interactive"
    }


def test_a_failure_is_pulumis_own_last_line(tmp_path: Path) -> None:
    environment = scripted(
        tmp_path, "echo warning: x >&2; echo error: no stack named dev >&2; exit 255"
    )
    with pytest.raises(StackError, match=r"^pulumi stack output: no stack named dev$"):
        outputs(environment)


def test_a_failure_without_a_word_tells_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="exit code 3"):
        outputs(scripted(tmp_path, "exit 3"))


def test_without_pulumi_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="tenantry engine puts it"):
        outputs({"PATH": str(tmp_path)})


def test_a_setting_is_read_in_clear(tmp_path: Path) -> None:
    environment = scripted(
        tmp_path, """printf '{"tenantry:x": {"value": "%s", "secret": true}}' "$*" """
    )
    assert setting(environment, "tenantry:x") == "config --json --show-secrets --non-interactive"


@pytest.mark.parametrize("settings", ["{}", '{"tenantry:x": {"value": " "}}'])
def test_a_setting_that_is_not_there_is_none(tmp_path: Path, settings: str) -> None:
    assert setting(scripted(tmp_path, f"echo '{settings}'"), "tenantry:x") is None


def test_another_failure_is_not_taken_for_a_missing_setting(tmp_path: Path) -> None:
    environment = scripted(tmp_path, "echo error: incorrect passphrase >&2; exit 1")
    with pytest.raises(StackError, match=r"^the stack: .* is not the passphrase of its secrets"):
        setting(environment, "tenantry:x")


def test_the_selected_stack_is_the_environments_or_pulumis(tmp_path: Path) -> None:
    environment = scripted(
        tmp_path, 'test "$*" = "stack --show-name --non-interactive" && echo dev'
    )
    assert selected(environment) == "dev"
    assert selected({**environment, "PULUMI_STACK": "organization/tenantry/prod"}) == "prod"


def test_a_state_goes_through_a_pipe(tmp_path: Path) -> None:
    environment = scripted(tmp_path, f'echo "$*" > {tmp_path}/arguments; cat > {tmp_path}/given')
    import_state(environment, "dev", {"version": 3, "deployment": {}})
    assert (tmp_path / "given").read_text() == '{"version": 3, "deployment": {}}'
    assert (tmp_path / "arguments").read_text() == "stack import --stack dev --non-interactive\n"


def test_states_and_stacks_are_read(tmp_path: Path) -> None:
    environment = scripted(
        tmp_path,
        """case "$*" in
          "stack ls"*) echo '[{"name": "prod"}, {"name": "dev", "lastUpdate": "2026-11-22T09:13:19.392Z"}]' ;;
          "stack history"*"--page-size 1 --stack dev"*) echo '[{"kind": "update", "result": "succeeded"}]' ;;
          "stack export --stack dev"*) echo '{"deployment": {"resources": []}}' ;;
          whoami*) echo '{"url": "s3://bucket"}' ;;
          *) echo error: no >&2; exit 255 ;;
        esac""",
    )
    assert list_stacks(environment) == {
        "prod": None,
        "dev": datetime(2026, 11, 22, 9, 13, 19, 392000, UTC),
    }
    assert updates(environment, "dev", 1) == [{"kind": "update", "result": "succeeded"}]
    assert export_state(environment, "dev") == {"deployment": {"resources": []}}
    assert backend_url(environment) == "s3://bucket"
    with pytest.raises(StackError, match=r"^pulumi stack export: no$"):
        export_state(environment, "prod")
