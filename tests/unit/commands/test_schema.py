from pathlib import Path

from typer.testing import CliRunner

from tenantry.cli import app

ROOT = Path(__file__).parents[3]
EXAMPLE = str(ROOT / "tenants.yaml")
RUN = CliRunner()


def test_schema_prints_the_checked_in_file() -> None:
    result = RUN.invoke(app, ["schema"])
    assert result.stdout == (ROOT / "tenants.schema.json").read_text("utf-8")
