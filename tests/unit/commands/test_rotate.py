"""`tenantry rotate`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tenantry.registry import load

RUN = CliRunner()
TEXT = """\
version: 1
defaults: {environment: staging, region: aws-us-east-2}
tenants:
  acme:
    apps:
      web: {} # ours
"""
FILE = Path("tenants.yaml")


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FILE.write_text(TEXT)


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
