import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from tenantry import __version__
from tenantry.cli import app
from tenantry.engine.pins import NEON, POSTGRESQL, PULUMI, RANDOM

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "tenants.yaml")
RUN = CliRunner()


def test_wrong_usage_is_an_error_and_no_pending_change() -> None:
    assert RUN.invoke(app, ["validate", "a", "b"]).exit_code == 1


def test_version() -> None:
    lines = RUN.invoke(app, ["--version"]).stdout.splitlines()
    assert lines[0] == f"tenantry {__version__}"
    assert re.fullmatch(r"program [0-9a-f]{12}", lines[1])
    assert lines[2] == f"pulumi {PULUMI}"
    assert lines[3] == f"plugins random {RANDOM}, postgresql {POSTGRESQL}, neon {NEON}"


def test_starting_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tenantry.cli import app;"
        "print([m for m in ('pydantic', 'yaml', 'httpx', 'pulumi', 'psycopg') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_the_registry_knows_no_pulumi() -> None:
    code = "import sys, tenantry.registry, tenantry.registry.schema; print('pulumi' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def test_no_command_imports_another() -> None:
    rooms = ROOT / "tenantry" / "commands"
    shared = {"options", "moving", "converging"}
    for file in rooms.rglob("*.py"):
        if file.name == "__init__.py":
            continue
        imported = re.findall(r"tenantry\.commands((?:\.\w+)*) import", file.read_text("utf-8"))
        assert {each.rpartition(".")[2] for each in imported} <= shared, file
