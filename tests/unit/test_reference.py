"""Every command explains itself in one form, and the page of the commands is made from that."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tenantry.reference import commands, examples, page, paragraphs

ROOT = Path(__file__).parents[2]
EVERY = dict(commands())


def test_the_page_is_as_the_help_says() -> None:
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == page(), "make commands"


@pytest.mark.parametrize("name", EVERY)
def test_each_command_has_an_example_its_exit_codes_and_json(name: str) -> None:
    command: Any = EVERY[name]
    (example,) = examples(command)
    assert f"{name} " in f"{example.replace(')', ' ')} "
    said = paragraphs(command)
    (codes,) = (each for each in said if each.startswith("Exit code: "))
    assert not set("456789") & set(codes)
    assert any(each.startswith("JSON: ") for each in said)
    assert any("--json" in each.opts for each in command.params)
    # As it is printed: on one line.
    printed = CliRunner().invoke(app, [*name.split()[1:], "--help"]).stdout
    assert f"  {example}\n" in printed


def test_nothing_is_missing_that_an_operator_is_promised() -> None:
    named = {name.partition(" ")[2].partition(" ")[0] for name in EVERY}
    assert named >= {
        "validate",
        "plan",
        "up",
        "destroy",
        "status",
        "drift",
        "orphans",
        "show",
        "url",
        "keys",
        "rotate",
        "doctor",
        "schema",
        "new",
        "fleet",
    }
