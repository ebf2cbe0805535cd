import json
import os
from pathlib import Path

import pytest

from tenantry.planning.errors import PlanError
from tenantry.planning.previewing import look, preview
from tests.unit.planning.support import CATALOG, END, said, step


def pulumi(folder: Path, script: str) -> dict[str, str]:
    """An environment whose `pulumi` is this shell script."""
    command = folder / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.defpath}", "PULUMI_STACK": "prod"}


def answer(folder: Path, events: list[dict[str, object]]) -> str:
    file = folder / "events"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in events))
    return f"cat {file}"


def test_the_engine_streams_its_events(tmp_path: Path) -> None:
    events = [
        *step("same", CATALOG, "catalog", old={}, new={}),
        {"summaryEvent": {"result": "succeeded"}},
    ]
    script = f'echo "$PULUMI_ENABLE_STREAMING_JSON_PREVIEW $*" > {tmp_path}/said; {answer(tmp_path, events)}'
    seen: list[int] = []
    run = preview(pulumi(tmp_path, script), progress=seen.append)
    assert (run.succeeded, run.stack, seen) == (True, "dev", [1])
    assert (tmp_path / "said").read_text() == "true preview --json --non-interactive\n"


def test_the_options_of_each_question(tmp_path: Path) -> None:
    environment = pulumi(tmp_path, f'echo "$PULUMI_RUN_PROGRAM $*" >> {tmp_path}/said')
    environment["PULUMI_RUN_PROGRAM"] = "true"
    preview(environment, refresh=True)
    look(environment)
    assert (tmp_path / "said").read_text().splitlines() == [
        "true preview --refresh --json --non-interactive",
        "false refresh --preview-only --json --non-interactive",
    ]


def test_what_the_program_refuses_is_in_the_run(tmp_path: Path) -> None:
    events = [said("error", "acme/web is gone"), END, {"summaryEvent": {"result": "failed"}}]
    run = preview(pulumi(tmp_path, f"{answer(tmp_path, events)}; exit 1"))
    assert (run.errors, run.succeeded, run.stack) == (("acme/web is gone",), False, "prod")


def test_an_engine_that_did_not_begin_says_why(tmp_path: Path) -> None:
    script = "echo 'error: no stack named \"dev\" found' >&2; exit 255"
    with pytest.raises(PlanError, match=r'^pulumi preview: no stack named "dev" found$'):
        preview(pulumi(tmp_path, script))
    with pytest.raises(PlanError, match=r"^pulumi refresh: exit code 3$"):
        look(pulumi(tmp_path, "exit 3"))


def test_an_engine_that_broke_has_refused_nothing(tmp_path: Path) -> None:
    events = [said("error", "the plugin random\n exited prematurely")]
    with pytest.raises(PlanError, match=r"^pulumi preview: the plugin random exited prematurely$"):
        preview(pulumi(tmp_path, f"{answer(tmp_path, events)}; exit 255"))


def test_without_pulumi_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="make engine"):
        preview({"PATH": str(tmp_path)})
