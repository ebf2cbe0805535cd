"""`tenantry rename`."""

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


def test_rename_prints_the_diff_or_writes_it_and_says_the_next_command() -> None:
    shown = RUN.invoke(app, ["rename", "acme/web", "acme/site"])
    assert (shown.exit_code, FILE.read_text()) == (0, TEXT)
    assert "+      site: {renamed_from: acme/web} # ours\n" in shown.stdout
    made = RUN.invoke(app, ["rename", "acme/web", "acme/site", "--write"])
    assert (made.exit_code, made.stdout) == (0, "")
    assert "Next: tenantry plan" in made.stderr
    assert load(FILE).app("acme/site").renamed_from == ("acme/web",)
    told = json.loads(RUN.invoke(app, ["rename", "acme", "globex", "--json"]).stdout)
    assert (told["old"], told["new"], told["written"]) == ("acme", "globex", False)


def test_what_cannot_be_changed_is_one_line() -> None:
    result = RUN.invoke(app, ["rename", "acme/wbe", "acme/site"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
