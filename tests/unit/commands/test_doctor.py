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
