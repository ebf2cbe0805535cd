"""`tenantry new`."""

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


def test_new_adds_an_app_and_dry_run_shows_it() -> None:
    shown = RUN.invoke(app, ["new", "globex/api", "--dry-run"])
    assert (shown.exit_code, FILE.read_text()) == (0, TEXT)
    assert "\n+  globex:\n" in shown.stdout
    made = RUN.invoke(app, ["new", "acme/api", "--environment", "production", "--json"])
    told = json.loads(made.stdout)
    assert (made.exit_code, told["app"], told["written"]) == (0, "acme/api", True)
    assert load(FILE).app("acme/api").environment == "production"
    again = RUN.invoke(app, ["new", "acme/api"])
    assert (again.exit_code, again.stderr) == (1, "tenants.yaml:8: acme/api is there already\n")


def test_what_cannot_be_changed_is_one_line() -> None:
    result = RUN.invoke(app, ["new", "acme"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    FILE.write_text("nonsense")
    assert RUN.invoke(app, ["new", "acme/api"]).exit_code == 1
