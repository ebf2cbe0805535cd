import pytest

from tenantry.running.errors import UnreadableStateError
from tenantry.states.explaining import explain
from tests.unit.recovery.project import Project, held


def test_a_state_that_was_cut_off_is_told_as_the_doctor_tells_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.states.store._PAUSE", 0)
    error = UnreadableStateError("raw", project.environment, project.folder)
    project.write_state(held())
    # It is whole by now: a run was writing it.
    assert explain(error) == "raw"
    file = project.state_folder / ".pulumi/stacks/tenantry/dev.json"
    file.with_suffix(".json.bak").write_bytes(file.read_bytes())
    file.write_bytes(file.read_bytes()[:100])
    assert "the state of stack dev was cut off: tenantry doctor --fix puts" in explain(error)


def test_where_the_backend_does_not_tell_the_failure_is_all_there_is(project: Project) -> None:
    elsewhere = {**project.environment, "PULUMI_BACKEND_URL": "s3://b"}
    assert explain(UnreadableStateError("raw", elsewhere, project.folder)) == "raw"
    nowhere = {**project.environment, "PULUMI_BACKEND_URL": "postgres://127.0.0.1:1/x"}
    assert explain(UnreadableStateError("raw", nowhere, project.folder)) == "raw"
