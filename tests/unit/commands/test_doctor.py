import json

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tests.unit.recovery.project import Project, creating, held, listed

RUN = CliRunner()


def test_doctor_tells_by_its_exit_code_whether_anything_disagrees(project: Project) -> None:
    project.write_state(pending=[creating(held())])
    project.neon.projects = [listed()]
    seen = RUN.invoke(app, ["doctor"])
    assert (seen.exit_code, seen.stderr) == (
        3,
        "1 stack, 0 locks, 1 project, 0 graphs: 1 to settle\n",
    )
    assert seen.stdout.endswith("the next run takes it over: tenantry doctor --fix\n")
    fixed = RUN.invoke(app, ["doctor", "--fix"])
    assert fixed.exit_code == 0
    assert fixed.stdout.startswith("settled: pending [dev] acme/web (Project)")
    (project.folder / "tenants.yaml").write_text("")
    assert RUN.invoke(app, ["doctor"]).exit_code == 1


def test_a_state_that_was_cut_off_is_put_back_where_that_is_asked_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.states.store._PAUSE", 0)
    project.write_state(held())
    file = project.state_folder / ".pulumi/stacks/tenantry/dev.json"
    whole = file.read_text()
    file.with_suffix(".json.bak").write_text(whole)
    file.write_text(whole[:150])
    project.neon.projects = [listed()]
    for command in (["doctor"], ["up", "--yes"]):
        result = RUN.invoke(app, command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "the state of stack dev was cut off: tenantry doctor --fix puts" in result.stderr
    fixed = RUN.invoke(app, ["doctor", "--fix"])
    assert fixed.exit_code == 0
    assert fixed.stdout == (
        "settled: cut off [dev] dev: its last whole copy is back, of 2026-11-22 10:00:00 UTC, which lacks nothing\n"
    )
    assert file.read_text() == whole


def test_before_anything_is_up_a_table_says_what_runs_need(project: Project) -> None:
    result = RUN.invoke(app, ["doctor", "--surroundings"])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].split("  ")[0] == "needed"
    engine = next(line for line in lines if line.startswith("engine"))
    assert "tenantry engine" in engine
    assert result.stderr.startswith("not as a run needs it: engine")
    shown = json.loads(RUN.invoke(app, ["doctor", "--surroundings", "--json"]).stdout)
    assert {"name", "ok", "text", "command"} == shown["surroundings"][0].keys()
    # Without the option too, where the stack is not there.
    (project.state_folder / ".pulumi/stacks/tenantry/dev.json").unlink()
    assert RUN.invoke(app, ["doctor"]).stdout == result.stdout
