import json
from pathlib import Path

from tenantry.fleet.events import Result
from tenantry.fleet.journal import Journal


def test_a_run_is_on_record_from_its_begin_to_its_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"operation": "up", "workers": 2})
    begun = json.loads(journal.file.read_text())
    assert (begun["version"], begun["operation"], begun["ended"]) == (1, "up", None)
    journal.add(Result("acme/web", "acme--web", "applied", 3.0, 1, {"create": 26}))
    journal.close({"applied": 1})
    record = json.loads(journal.file.read_text())
    assert record["counts"] == {"applied": 1}
    assert record["ended"] > record["began"]
    (result,) = record["results"]
    assert (result["app"], result["outcome"], result["seconds"]) == ("acme/web", "applied", 3.0)


def test_a_run_that_is_killed_leaves_a_whole_record(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"operation": "up"})
    for number in range(3):
        journal.add(Result(f"acme/a{number}", "s", "applied"))
    assert json.loads(journal.file.read_text())["operation"] == "up"


def test_two_runs_have_two_records(tmp_path: Path) -> None:
    files = {Journal(tmp_path, {}).file for _ in range(3)}
    assert len(files) == 3
