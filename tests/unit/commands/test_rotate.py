"""`tenantry rotate`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tenantry.registry import load
from tests.unit.commands.conftest import ONE_APP as TEXT

RUN = CliRunner()
FILE = Path("tenants.yaml")

pytestmark = pytest.mark.usefixtures("registry")


def test_rotate_prints_the_diff_or_writes_it_and_says_the_next_command() -> None:
    shown = RUN.invoke(app, ["rotate", "acme/web"])
    assert (shown.exit_code, FILE.read_text()) == (0, TEXT)
    assert "+      web: {database: {credentials: {generation: 2}}} # ours\n" in shown.stdout
    made = RUN.invoke(app, ["rotate", "acme/web", "--write"])
    assert (made.exit_code, made.stdout) == (0, "")
    assert "Next: tenantry up, which makes generation 2" in made.stderr
    assert load(FILE).app("acme/web").database.credentials.generation == 2
    told = json.loads(RUN.invoke(app, ["rotate", "acme/web", "--json"]).stdout)
    assert (told["generation"], told["written"]) == (3, False)


def test_what_cannot_be_changed_is_one_line() -> None:
    result = RUN.invoke(app, ["rotate", "acme/wbe"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
