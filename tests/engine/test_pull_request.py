"""A team's repository on a bare remote: pull requests of each kind, reviewed and applied by the workflows' own steps.

GitHub is a small server that keeps comments, issues and artifacts. Each job runs in a fresh clone.
The tests follow one another: what one of them merges, the next one starts from.
"""

import re
import textwrap
from collections.abc import Iterator

import pytest

from tests.engine.team import SECRETS, Team
from tests.engine.workspace import projects
from tests.github_server import BOT, github_server
from tests.localcloud_fixture import LocalCloud
from tests.workflows import Job

HOSTILE = (
    '"::error file=x::@org/all <img src=x> ``` | [a](javascript:b) <!-- tenantry:plan test -->%0A"'
)
WEB = """\
web:
  environment: development
  region: aws-us-east-2
  database:
    extensions: [citext, pg_trgm]
    compute: {max_cu: 1}
  deletion: delete
"""
API = """\
api:
  environment: development
  region: aws-us-east-2
  deletion: delete
"""
CHANGED = WEB.replace("max_cu: 1}", "max_cu: 2}\n    credentials: {generation: 2}")
MOVED = WEB.replace("aws-us-east-2", "aws-us-west-2")
OTHER = HOSTILE.replace("@org", "@other")


def registry(*apps: str, contact: str = HOSTILE) -> str:
    head = f"version: 1\nnamespace: review\ntenants:\n  acme:\n    contact: {contact}\n    apps:\n"
    return head + textwrap.indent("".join(apps), " " * 6)


def remarks(job: Job) -> list[tuple[str, str, str]]:
    """The annotations that GitHub's runner would take from the plan's output: level, line, title."""
    found: list[tuple[str, str, str]] = []
    stopped = ""
    for line in job.out("Plan").splitlines():
        if stopped:
            stopped = "" if line == f"::{stopped}::" else stopped
        elif line.startswith("::stop-commands::"):
            stopped = line.removeprefix("::stop-commands::")
        elif each := re.match(
            r"\s*::(\w+) file=tenants.yaml,line=(\d+),col=\d+,title=(.*?)::", line
        ):
            found.append((each[1], each[2], each[3].replace("%3A", ":")))
        else:
            assert not re.match(r"\s*::|.*##\[", line), line
    return found


@pytest.fixture(scope="module")
def team(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with github_server() as server:
        yield Team(tmp_path_factory.mktemp("team"), cloud, server)


def test_new_apps(team: Team) -> None:
    change = team.propose(registry(WEB, API))
    job = team.review(change)
    assert (job.code, job.ran()) == (0, ["Set up", "Plan", "Comment"])
    assert remarks(job) == [
        ("notice", "15", "acme/api: create"),
        ("notice", "8", "acme/web: create"),
    ]
    comment = team.comment(change)
    assert comment.startswith("<!-- tenantry:plan test -->\n### Apps: 2 to create, 0 unchanged.")
    assert f"Stack `test`, commit {change.head}." in comment
    assert [each["name"] for each in team.server.artifacts] == [f"tenantry-plan-test-{change.head}"]
    for secret in (*SECRETS, "PULUMI_CONFIG_PASSPHRASE"):
        assert team.given[secret] not in job.out("Plan") + comment

    done = team.apply(team.merge(change))
    assert done.code == 0, done.steps
    assert done.ran() == ["Set up", "Fetch the plan", "Apply", "Release the lock"]
    assert projects(team.cloud, "review--") == ["review--acme--api", "review--acme--web"]


def test_changes_are_applied_as_they_were_shown_and_a_plan_from_before_is_refused(
    team: Team,
) -> None:
    # Proposed before the other is merged.
    moves = team.propose(registry(MOVED, API))
    job = team.review(moves)
    assert (job.code, remarks(job)) == (0, [("warning", "9", "acme/web: replace")])
    assert "| `acme/web` | **replace** |" in team.comment(moves)
    assert "`project acme/web and all data in it`" in team.comment(moves)

    # A change, a rotation, an app that leaves; at first with mistakes.
    text = registry(CHANGED, contact=OTHER)
    kept = len(team.server.artifacts)
    change = team.propose(text.replace("development", "develop").replace("delete", "wrong"))
    job = team.review(change)
    assert (job.code, job.ran()) == (1, ["Set up", "Plan", "Comment"])
    assert [each[:2] for each in remarks(job)] == [("error", "8"), ("error", "14")]
    assert "### tenants.yaml has 2 problems: nothing was planned." in team.comment(change)
    assert len(team.server.artifacts) == kept
    team.amend(change, text)
    job = team.review(change)
    assert job.code == 0
    assert remarks(job) == [
        ("warning", "6", "acme/api: delete"),
        ("notice", "5", "acme/web: update"),
    ]
    comment = team.comment(change)
    assert "### Apps: 1 to delete, 1 to update, 0 unchanged." in comment
    assert "database.compute.max_cu: 1 → 2\n" in comment
    assert (
        "database.credentials.generation: 1 → 2, which moves the app to its other login" in comment
    )
    # Not Markdown, no mention, and not the mark of another comment: it is in a block, whose end it cannot write.
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", comment)
    assert "@other/all" in comment
    assert "@o" not in outside
    assert "<img" not in outside
    assert outside.count("<!--") == 1

    before = team.kept()["acme/web"]
    assert team.apply(team.merge(change)).code == 0
    assert team.kept() == {"acme/web": before.replace(" 1", " 2")}
    assert projects(team.cloud, "review--") == ["review--acme--web"]

    done = team.apply(team.merge(moves))
    assert (done.code, done.ran()[-1]) == (1, "Release the lock")
    said = done.out("Apply")
    assert re.search(
        r"plan.json: state: acme/api, acme/web.* was changed by a run since\n", said
    ), said
    assert "plan.json: nothing was applied" in said
    assert team.kept() == {"acme/web": before.replace(" 1", " 2")}

    # The way out that the docs name.
    planned, done = team.apply_by_hand()
    assert (planned.code, done.code) == (0, 0), done.steps
    (project, generation), (earlier, _) = team.kept()["acme/web"].split(), before.split()
    assert (project != earlier, generation) == (True, "2")


def test_another_order_alone_is_no_change_and_a_second_apply_does_nothing(team: Team) -> None:
    shuffled = (
        (team.work / "tenants.yaml")
        .read_text()
        .replace("[citext, pg_trgm]", "[pg_trgm, citext] # two")
        .replace("aws-us-west-2", "us-west-2")
    )
    change = team.propose(shuffled)
    job = team.review(change)
    assert (job.code, remarks(job)) == (0, [])
    # What was applied before was all that there was to apply.
    assert "### No changes: 1 app is as the registry says." in team.comment(change)
    done = team.apply(team.merge(change))
    assert (done.code, "nothing to do" in done.out("Apply")) == (0, True)


def test_drift_opens_one_issue(team: Team) -> None:
    project = team.kept()["acme/web"].split()[0]
    with team.cloud.client() as client:
        client.patch(
            f"/projects/{project}", json={"project": {"history_retention_seconds": 43200}}
        ).raise_for_status()
    assert team.look().code == 0
    (issue,) = team.server.issues
    assert (issue["title"], issue["state"], issue["user"]["login"]) == (
        "Drift in stack test",
        "open",
        BOT,
    )
    assert "project acme/web: historyRetentionSeconds: 21600 → 43200" in issue["body"]
