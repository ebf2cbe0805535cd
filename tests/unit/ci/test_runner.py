import json
from pathlib import Path

import pytest

from tenantry.ci.runner import commit_of, event, in_repository, summarize, taken_as_text


def test_a_file_is_named_from_the_repositorys_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "platform"
    folder.mkdir()
    monkeypatch.chdir(folder)
    root = {"GITHUB_WORKSPACE": str(tmp_path)}
    assert in_repository(Path("tenants.yaml"), root) == "platform/tenants.yaml"
    assert in_repository(tmp_path / "tenants.yaml", root) == "tenants.yaml"
    assert in_repository(Path("tenants.yaml"), {}) == "tenants.yaml"
    assert in_repository(Path("/elsewhere/tenants.yaml"), root) == "/elsewhere/tenants.yaml"


def test_the_commit_is_that_of_the_pull_request_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"pull_request": {"head": {"sha": "head"}}}))
    merged = {"GITHUB_SHA": "merge"}
    assert commit_of({**merged, "GITHUB_EVENT_PATH": str(file)}) == "head"
    file.write_text("{}")
    assert commit_of({**merged, "GITHUB_EVENT_PATH": str(file)}) == "merge"
    assert commit_of({"CI_COMMIT_SHA": "pushed"}) == "pushed"
    assert commit_of({}) == ""
    assert event({"GITHUB_EVENT_PATH": str(tmp_path / "none")}) == {}


def test_summaries_are_added_to_each_other(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    for text in ("one", "two"):
        summarize(text, {"GITHUB_STEP_SUMMARY": str(file)})
    summarize("nowhere", {})
    assert file.read_text() == "one\ntwo\n"


def test_commands_are_stopped_on_github_alone_and_go_on_after_a_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with taken_as_text({}):
        pass
    assert capsys.readouterr().out == ""
    with pytest.raises(RuntimeError), taken_as_text({"GITHUB_ACTIONS": "true"}):
        raise RuntimeError
    first, last = capsys.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert last == f"::{token}::"
    with taken_as_text({"GITHUB_ACTIONS": "true"}):
        pass
    assert token not in capsys.readouterr().out
