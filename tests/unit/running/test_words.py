"""What `pulumi` says, in our words. That it says so is in `tests/engine/test_words.py`."""

import json
from pathlib import Path

import pytest

from tenantry.running.errors import UnreadableStateError
from tenantry.running.words import is_locked, refusal_of, without_login
from tests.unit.recovery.project import Project

SELECT = "error: no stack selected; please use `pulumi stack select` to choose one"
UNSET = (
    "error: getting stack configuration: get stack secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or "
    "PULUMI_CONFIG_PASSPHRASE_FILE environment variables"
)
LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file "
    "with `pulumi cancel`.\n"
    "  postgres://u:geheim@h/db/.pulumi/locks/organization/tenantry/dev/1-2.json?no_tmp_dir=true: created by "
    "ann b@HOST (pid PID) at 2999-01-01T00:00:00Z"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def words(project: Project, said: str, **variables: str) -> str | None:
    environment = {**project.environment, **variables}
    refusal = refusal_of(said, environment, folder=project.folder)
    return str(refusal) if refusal else None


def test_a_stack_that_is_not_there_is_told_with_those_that_are(project: Project) -> None:
    project.pulumi.answers("stack ls", out="[]")
    none = words(project, "error: no stack named 'organization/tenantry/prod' found")
    assert none == (
        "stack prod is not there: the project has none yet: PULUMI_STACK=prod tenantry up --create makes it"
    )
    names = ["staging", "dev"]
    project.pulumi.answers("stack ls", out=json.dumps([{"name": each} for each in names]))
    told = 'stack stagign is not there (did you mean "staging"?): the project has dev, staging: PULUMI_STACK=stagign '
    assert words(project, SELECT, PULUMI_STACK="stagign") == f"{told}tenantry up --create makes it"
    names += [f"s{number:02}" for number in range(20)]
    project.pulumi.answers("stack ls", out=json.dumps([{"name": each} for each in names]))
    assert "the project has dev, s00, s01, s02, s03, s04, s05, s06, s07, s08 and 12 more: " in str(
        words(project, "error: no stack named 'x' found")
    )


def test_where_the_stacks_cannot_be_listed_the_rest_is_said(project: Project) -> None:
    project.pulumi.answers("stack ls", code=1)
    said = words(project, "error: no stack named 'prod' found")
    assert said == "stack prod is not there: PULUMI_STACK=prod tenantry up --create makes it"


def test_no_stack_is_selected(project: Project) -> None:
    del project.environment["PULUMI_STACK"]
    assert words(project, SELECT) == (
        "no stack is selected: PULUMI_STACK=dev tenantry up --create makes one"
    )
    project.pulumi.answers("stack ls", out='[{"name": "prod"}]')
    assert words(project, SELECT) == (
        "no stack is selected: set PULUMI_STACK to one of them: the project has prod"
    )


def test_a_passphrase_is_told_with_its_variable_and_whose_it_is(project: Project) -> None:
    assert words(project, UNSET) == (
        "stack dev: the passphrase of its secrets is not set: set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE "
        "to the path of a file that has it"
    )
    missing = (
        "error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /a b: no such file or directory"
    )
    assert words(project, missing, PULUMI_CONFIG_PASSPHRASE_FILE="/a b") == (
        "stack dev: PULUMI_CONFIG_PASSPHRASE_FILE: /a b cannot be read: no such file or directory"
    )
    wrong = "error: incorrect passphrase"
    where = (
        f"in the backend {project.state_folder.as_uri()}: give the one that the stack was made with"
    )
    assert words(project, wrong, PULUMI_CONFIG_PASSPHRASE="geheim") == (
        f"stack dev: PULUMI_CONFIG_PASSPHRASE is not the passphrase of its secrets {where}"
    )
    assert words(project, wrong, PULUMI_CONFIG_PASSPHRASE_FILE="/p") == (
        f"stack dev: /p (PULUMI_CONFIG_PASSPHRASE_FILE) is not the passphrase of its secrets {where}"
    )


@pytest.mark.parametrize(
    "said",
    [
        "error: failed to load checkpoint: place 1: unexpected end of JSON input",
        "error: place 1: unexpected end of JSON input",
    ],
)
def test_a_state_that_cannot_be_read_leads_to_the_doctor(project: Project, said: str) -> None:
    refusal = refusal_of(said, project.environment, folder=project.folder)
    assert isinstance(refusal, UnreadableStateError)
    assert str(refusal) == (
        f"stack dev: its state cannot be read ({said.rpartition('1: ')[0].partition('checkpoint: ')[2]}"
        f"{'1: ' if 'checkpoint' in said else ''}unexpected end of JSON input): it was cut off, or it is being written at "
        "this moment: tenantry doctor says which, and which copy of it is whole"
    )
    assert (refusal.environment, refusal.folder) == (project.environment, project.folder)


@pytest.mark.parametrize(
    ("said", "backend", "reason"),
    [
        (
            'error: unable to open state directory "file:///none": stat /none: no such file or directory',
            "file:///none",
            "stat /none: no such file or directory",
        ),
        (
            'error: unable to open state database "postgres://u:geheim@h:1/x": failed to ping PostgreSQL: dial tcp: refused',
            "postgres://h:1/x",
            "failed to ping PostgreSQL: dial tcp: refused",
        ),
        (
            'error: read ".pulumi/meta.yaml": blob (code=Unknown): request send failed, Get "http://h/?k=geheim": dial tcp: refused',
            "s3://b/p",
            "dial tcp: refused",
        ),
        (
            'error: performing HTTP request: Get "http://h:1/api/user": dial tcp: refused',
            "http://h:1",
            "dial tcp: refused",
        ),
    ],
)
def test_a_backend_that_is_not_reached_is_told_by_its_url_without_a_login(
    project: Project, said: str, backend: str, reason: str
) -> None:
    url = backend.replace("postgres://", "postgres://u:geheim@") + "?key=geheim"
    assert words(project, said, PULUMI_BACKEND_URL=url) == (
        f"the backend {backend} cannot be reached: {reason}: is PULUMI_BACKEND_URL right, and is it up?"
    )


def test_no_backend_is_named(project: Project) -> None:
    said = "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions"
    assert "takes no login: set PULUMI_ACCESS_TOKEN" in str(words(project, said))
    assert str(words(project, said, PULUMI_BACKEND_URL="")).startswith("no backend is named: set")


def test_a_lock_is_told_with_its_holder(project: Project) -> None:
    said = LOCKED.replace("HOST", "build-7").replace("PID", "4711")
    assert is_locked(said)
    assert words(project, said) == (
        "lock [dev] dev: held by ann b@build-7 (pid 4711) since 2999-01-01T00:00:00Z: wait until that run ends, as tenantry "
        "up --wait 10m does; tenantry doctor says whether it lives"
    )


def test_what_has_no_words_stays_pulumis_but_for_the_backends_password(project: Project) -> None:
    assert words(project, "error: the plugin exited") is None
    assert not is_locked("error: the plugin exited")
    variables = {"PULUMI_BACKEND_URL": "postgres://u:gehe%2Dim@h/x"}
    said = "at postgres://u:gehe%2Dim@h/x and gehe-im"
    assert without_login(said, variables) == "at postgres://u:…@h/x and …"
    assert without_login("error: x", {}) == "error: x"
