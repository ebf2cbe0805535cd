import pytest

from tenantry.neon.client import NeonError
from tenantry.recovery.judging import judge
from tenantry.recovery.looking import Looker
from tenantry.running.errors import EngineError
from tests.unit.recovery.project import Project, held, listed


def kinds(project: Project) -> list[tuple[str, str]]:
    return [(each.kind, each.subject) for each in judge(project.looker().facts())]


def test_what_any_stack_holds_is_no_orphan(project: Project) -> None:
    project.write_state()
    project.write_state(held(), stack="prod")
    project.neon.projects = [listed(), listed("p-2", "t--acme--old"), listed("p-3", "other--a--b")]
    assert kinds(project) == [("orphan", "t--acme--old")]
    assert project.neon.asked == ["GET /projects"]


def test_what_the_list_lacks_is_asked_for_by_its_id_before_it_counts_as_gone(
    project: Project,
) -> None:
    project.write_state(held("p-1"), held("p-2", name="t--acme--b"))
    project.neon.projects = [listed("p-2", "renamed")]
    assert kinds(project) == [("gone", "acme/web"), ("differs", "acme/web")]
    assert sorted(project.neon.asked) == ["GET /projects", "GET /projects/p-1", "GET /projects/p-2"]


def test_a_project_is_held_against_the_app_also_where_its_graph_has_the_same_name(
    project: Project,
) -> None:
    file = project.folder / "tenants.yaml"
    graph = "graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB}"
    file.write_text(file.read_text().replace("deletion:", f"{graph}, deletion:"))
    declared = project.looker().declared()
    (names,) = {name for _, name in declared}
    assert declared["neon", names].wanted.place == {"region": "aws-us-east-2", "PostgreSQL": "17"}
    assert declared["aura", names].wanted.place == {}


def test_a_namespace_that_a_state_still_has_is_looked_for_too(project: Project) -> None:
    project.write_state(held(name="old--acme--web"))
    project.neon.projects = [listed("p-1", "old--acme--web"), listed("p-2", "old--acme--api")]
    assert kinds(project) == [("orphan", "old--acme--api")]


def test_without_a_key_nothing_is_claimed(project: Project) -> None:
    project.write_state()
    with pytest.raises(NeonError, match="set NEON_API_KEY, or pulumi config set"):
        Looker(project.folder, project.environment).facts()


@pytest.mark.parametrize("content", ["", "runtime: python\n", "name: [", "- a\n"])
def test_a_project_without_a_name_is_refused(project: Project, content: str) -> None:
    (project.folder / "Pulumi.yaml").write_text(content)
    with pytest.raises(EngineError, match=r"Pulumi\.yaml: it cannot be read, or has no name"):
        project.looker()
