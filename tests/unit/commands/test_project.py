from typer.testing import CliRunner

from tenantry.cli import app
from tests.unit.recovery.project import Project, listed

RUN = CliRunner()


def test_a_project_is_deleted_by_id_and_name(project: Project) -> None:
    project.neon.projects = [listed("p-1"), listed("p-2")]
    wrong = RUN.invoke(app, ["project", "delete", "p-1", "--name", "x"])
    assert (wrong.exit_code, 'not "x": nothing was deleted' in wrong.stderr) == (1, True)
    result = RUN.invoke(app, ["project", "delete", "p-1", "--name", "t--acme--web"])
    assert (result.exit_code, result.stdout) == (0, "p-1: gone\n")
    assert [each["id"] for each in project.neon.projects] == ["p-2"]
