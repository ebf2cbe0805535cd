import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.preparing import after_failure, prepare
from tests.unit.recovery.project import Project, creating, held, listed

APP = {
    "urn": "urn:pulumi:dev::tenantry::tenantry:app:TenantApp::acme/web",
    "type": "tenantry:app:TenantApp",
}
STRANGER = {
    "urn": "urn:pulumi:dev::tenantry::aws:s3/bucket:Bucket::b",
    "type": "aws:s3/bucket:Bucket",
}


def prepared(project: Project) -> list[str]:
    said: list[str] = []
    prepare(project.looker(), project.environment, said.append)
    return said


def test_a_clean_stack_costs_neither_a_call_nor_a_question(project: Project) -> None:
    project.write_state(APP, held())
    assert prepared(project) == []
    assert (project.called(), project.neon.asked) == ([], [])


def test_a_dead_lock_goes_and_locks_of_others_stay(project: Project) -> None:
    project.write_state()
    dead, other = project.write_lock(), project.write_lock("prod", hostname="elsewhere")
    (line,) = prepared(project)
    assert line.startswith("settled: lock [dev]")
    assert not dead.exists()
    assert other.exists()
    assert project.called() == []


@pytest.mark.parametrize(
    "whose", [{"pid": os.getppid(), "timestamp": "2999-01-01T00:00:00Z"}, {"hostname": "build-7"}]
)
def test_a_lock_that_may_be_held_stops_the_run_and_a_dead_one_beside_it_stays(
    project: Project, whose: dict[str, Any]
) -> None:
    project.write_state(pending=[creating(held())])
    dead, living = project.write_lock(), project.write_lock(**whose)
    with pytest.raises(RecoveryError, match=r"^lock \[dev\] dev: held by ann@"):
        prepared(project)
    assert dead.exists()
    assert living.exists()


def test_another_run_is_waited_for_as_long_as_that_is_asked_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, slept, said = [100.0], [], list[str]()

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        slept.append(seconds)
        if len(slept) == 3:
            lock.unlink()

    monkeypatch.setattr("tenantry.recovery.preparing.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("tenantry.recovery.preparing.time.sleep", sleep)
    project.write_state(APP)
    dead, lock = project.write_lock(), project.write_lock(hostname="build-7")
    with pytest.raises(RecoveryError, match="held by ann@build-7"):
        prepare(project.looker(), project.environment, said.append, until=104.0)
    assert slept == [2.0, 2.0]
    assert dead.exists()
    before = prepare(project.looker(), project.environment, said.append, until=1000.0)
    assert before.apps == ("acme/web",)
    assert slept == [2.0, 2.0, 2.0]
    assert [line[:36] for line in said] == [
        "waiting: dev: held by ann@build-7 (p",
        "waiting: dev: held by ann@build-7 (p",
        "settled: lock [dev] dev: held by ann",
    ]


def test_a_create_that_the_cloud_explains_is_dropped_from_the_state(project: Project) -> None:
    project.write_state(APP, pending=[creating(held())])
    project.neon.projects = [listed()]
    (line,) = prepared(project)
    assert "the next run takes it over" in line
    kept = json.loads((project.folder / "import.json").read_text())["deployment"]
    assert kept["pending_operations"] == []
    assert kept["resources"] == [APP]
    assert project.neon.asked == ["GET /projects"]


def test_one_that_is_not_explained_stops_the_run_and_none_is_dropped(project: Project) -> None:
    project.write_state(pending=[creating(held()), creating(STRANGER)])
    project.neon.projects = [listed()]
    with pytest.raises(
        RecoveryError, match=r"^pending \[dev\] b \(Bucket\).*clear-pending-creates$"
    ):
        prepared(project)
    assert not (project.folder / "import.json").exists()


def test_a_request_that_may_still_land_is_waited_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        project.neon.projects = [listed()]

    monkeypatch.setattr("tenantry.recovery.preparing.time.sleep", sleep)
    project.write_state(pending=[creating(held())], at=datetime.now(UTC).isoformat())
    waiting, settled = prepared(project)
    assert waiting.startswith(
        "waiting: acme/web (Project): cut off while creating: the cloud has no project"
    )
    assert settled.startswith("settled: pending")
    assert slept == [2.0]


def test_how_long_is_the_environments(project: Project) -> None:
    project.environment["TENANTRY_LANDING_SECONDS"] = "0"
    project.write_state(pending=[creating(held())], at=datetime.now(UTC).isoformat())
    (line,) = prepared(project)
    assert "it did not happen" in line
    project.environment["TENANTRY_LANDING_SECONDS"] = "soon"
    with pytest.raises(RecoveryError, match="TENANTRY_LANDING_SECONDS: write seconds"):
        prepared(project)


def test_a_state_that_changed_since_it_was_judged_is_left_alone(project: Project) -> None:
    project.write_state(pending=[creating(held())])
    project.neon.projects = [listed()]
    later = {"deployment": {"pending_operations": [creating(held()), creating(STRANGER)]}}
    project.pulumi.answers("stack export", out=json.dumps(later))
    with pytest.raises(RecoveryError, match="another run was cut off in the meantime"):
        prepared(project)
    assert not (project.folder / "import.json").exists()


def test_after_a_failure_it_is_said_what_is_there_and_what_goes_on(project: Project) -> None:
    project.write_state(APP)
    before = project.looker().state()
    project.write_state(APP, held(), pending=[creating({**STRANGER})])
    project.neon.projects = [listed(), listed("p-9", "t--acme--old")]
    lines = after_failure(project.looker(), before)
    assert lines[0] == "in the state: 2 resources of acme/web; this run made 1 and removed 0"
    assert lines[1] == "in the cloud, ours by name: 2 projects"
    assert [line.split()[0] for line in lines[2:-1]] == ["pending", "orphan"]
    assert lines[-1] == (
        "Next, once what is said above is put right: pulumi refresh --clear-pending-creates, then tenantry up"
    )


def test_where_nothing_stands_in_the_way_the_next_is_a_run(project: Project) -> None:
    project.write_state(APP, held())
    before = project.looker().state()
    project.write_state(APP)
    project.neon.projects = []
    lines = after_failure(project.looker(), before)
    assert lines == [
        "in the state: 1 resource of acme/web; this run made 0 and removed 1",
        "in the cloud, ours by name: 0 projects, all of them in a state",
        "Next, once what is said above is put right: tenantry up",
    ]
    assert project.called() == ["config --json --show-secrets --non-interactive"]
