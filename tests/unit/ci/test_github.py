from collections.abc import Iterator

import pytest

from tenantry.ci.errors import CiError
from tenantry.ci.github import GitHub
from tests.github_server import BOT, REPOSITORY, TOKEN, GitHubServer, github_server

MARK = "<!-- tenantry:plan prod -->"
DRIFT = "<!-- tenantry:drift prod -->\n### Drift: 1\n"
NO_DRIFT = "<!-- tenantry:no-drift prod -->\n### No drift\n"


@pytest.fixture(scope="module")
def server() -> Iterator[GitHubServer]:
    with github_server() as keeper:
        yield keeper


@pytest.fixture
def keeper(server: GitHubServer) -> GitHubServer:
    url = server.url
    server.__init__(url=url)  # type: ignore[misc]  # as it began
    server.permissions = {"pull-requests": "write", "issues": "write", "actions": "read"}
    return server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def github(keeper: GitHubServer, pauses: list[float]) -> Iterator[GitHub]:
    environment = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": keeper.url,
    }
    with GitHub(environment, pause=pauses.append) as there:
        yield there


def test_one_comment_is_made_updated_and_left_alone(github: GitHub, keeper: GitHubServer) -> None:
    assert github.put_comment(7, f"{MARK}\nfirst\n", BOT).done == "made"
    assert github.put_comment(7, f"{MARK}\nsecond\n", BOT).done == "updated"
    assert github.put_comment(7, f"{MARK}\nsecond\n", BOT).done == "unchanged"
    assert keeper.of(7) == [f"{MARK}\r\nsecond"]
    assert [each for each in keeper.requests if not each.startswith("GET")] == [
        "POST /issues/7/comments",
        "PATCH /issues/comments/1",
    ]


def test_the_comments_of_others_stay(github: GitHub, keeper: GitHubServer) -> None:
    for number in range(150):
        keeper.comment(7, f"remark {number}", "ann")
    keeper.comment(7, f"{MARK}\nnot ours", "mallory")
    keeper.comment(7, f"I quote:\n{MARK}", BOT)
    keeper.comment(8, f"{MARK}\nof another", BOT)
    keeper.comment(7, "<!-- tenantry:plan dev -->\nof another stack", BOT)
    assert github.put_comment(7, f"{MARK}\nours", BOT).done == "made"
    assert github.put_comment(7, f"{MARK}\nours again", BOT).done == "updated"
    assert keeper.of(7)[150:] == [
        f"{MARK}\nnot ours",
        f"I quote:\n{MARK}",
        "<!-- tenantry:plan dev -->\nof another stack",
        f"{MARK}\r\nours again",
    ]


def test_a_comment_whose_answer_was_lost_is_not_made_twice(
    github: GitHub, keeper: GitHubServer, pauses: list[float]
) -> None:
    keeper.orders = [("POST", 502, {}, True)]
    assert github.put_comment(7, f"{MARK}\nonce", BOT).done == "unchanged"
    assert len(keeper.of(7)) == 1
    assert pauses == [2.0]


def test_githubs_limit_is_kept_to(
    github: GitHub, keeper: GitHubServer, pauses: list[float]
) -> None:
    keeper.orders = [("GET", 403, {"Retry-After": "17"}, False), ("GET", 429, {}, False)]
    assert github.put_comment(7, f"{MARK}\nat last", BOT).done == "made"
    assert pauses == [17.0, 4.0]


def test_a_server_that_never_answers_is_an_error(github: GitHub, keeper: GitHubServer) -> None:
    keeper.orders = [("GET", 500, {}, False)] * 9
    with pytest.raises(CiError, match=r"500 as ordered \(4 attempts\)") as raised:
        github.put_comment(7, f"{MARK}\n", BOT)
    assert TOKEN not in str(raised.value)


def test_a_missing_permission_is_named(github: GitHub, keeper: GitHubServer) -> None:
    keeper.permissions = {"contents": "read"}
    with pytest.raises(CiError, match="give the job the permission pull-requests: write"):
        github.put_comment(7, f"{MARK}\n", BOT)
    with pytest.raises(CiError, match="give the job the permission issues: write"):
        github.put_issue("Drift", DRIFT, BOT)
    with pytest.raises(CiError, match="give the job the permission actions: read"):
        github.plan_of_run("1", "x")


def test_a_text_without_a_mark_is_refused(github: GitHub) -> None:
    with pytest.raises(CiError, match="no mark"):
        github.put_comment(7, "### Something else\n", BOT)


def test_one_issue_is_opened_updated_and_closed(github: GitHub, keeper: GitHubServer) -> None:
    keeper.issue("a pull request", DRIFT, BOT, pull_request={"url": "…"})
    keeper.issue("Drift", DRIFT, "mallory")
    assert github.put_issue("Drift", NO_DRIFT, BOT).done == "none"
    assert github.put_issue("Drift", DRIFT, BOT).done == "made"
    assert github.put_issue("Drift", DRIFT, BOT).done == "unchanged"
    assert github.put_issue("Drift", f"{DRIFT}more\n", BOT).done == "updated"
    assert github.put_issue("Drift", NO_DRIFT, BOT).done == "closed"
    assert github.put_issue("Drift", DRIFT, BOT).done == "made"
    ours = keeper.issues[2:]
    assert [each["state"] for each in ours] == ["closed", "open"]
    assert ours[0]["state_reason"] == "completed"
    assert ours[0]["body"].endswith("more")
    assert [each["state"] for each in keeper.issues[:2]] == ["open", "open"]


def name(head: str) -> str:
    return f"tenantry-plan-prod-{head}"


def merged(keeper: GitHubServer, *, head: str = "h1", commit: str = "m1") -> None:
    keeper.pulls[7] = {
        "number": 7,
        "merged_at": "2026-11-22T12:00:00Z",
        "merge_commit_sha": commit,
        "head": {"sha": head},
    }


def test_the_reviewed_plan_is_the_last_of_the_merged_pull_request(
    github: GitHub, keeper: GitHubServer
) -> None:
    merged(keeper)
    keeper.keep(name("h0"), b"of an earlier commit", run=1, head="h0")
    keeper.keep(name("h1"), b"first", run=2, head="h1")
    keeper.keep(name("h1"), b"run again", run=3, head="h1")
    keeper.keep(name("h1"), b"of a fork", run=4, head="h1", fork=True)
    keeper.keep(name("h1"), b"of another commit", run=5, head="h9")
    keeper.keep("something-else", b"other", run=3, head="h1")
    assert github.reviewed_plan("m1", name) == b"run again"
    assert keeper.tokens_elsewhere == [""]
    assert github.plan_of_run("2", name("h1")) == b"first"


def test_where_nothing_was_reviewed_the_way_out_is_named(
    github: GitHub, keeper: GitHubServer
) -> None:
    with pytest.raises(CiError, match=r"no pull request was merged as m1.*by hand"):
        github.reviewed_plan("m1", name)
    merged(keeper, commit="another")
    keeper.pulls[7]["head"]["sha"] = "m1"
    with pytest.raises(CiError, match="no pull request was merged as m1"):
        github.reviewed_plan("m1", name)
    merged(keeper)
    keeper.keep(name("h1"), b"old", run=2, head="h1")
    keeper.artifacts[0]["expired"] = True
    with pytest.raises(CiError, match=r"pull request #7 kept no plan .*-h1, or it expired"):
        github.reviewed_plan("m1", name)


def test_an_archive_that_is_none_is_an_error(github: GitHub, keeper: GitHubServer) -> None:
    keeper.keep(name("h1"), b"", run=2, head="h1")
    keeper.archives[1] = b"no archive"
    with pytest.raises(CiError, match="is no archive of one plan"):
        github.plan_of_run("2", name("h1"))


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_a_missing_variable_is_named(missing: str) -> None:
    environment = {"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "a/b", missing: ""}
    with pytest.raises(CiError, match=f"{missing} must be set"):
        GitHub(environment)
