import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli import app

ROOT = Path(__file__).parents[3]
EXAMPLE = str(ROOT / "tenants.yaml")
RUN = CliRunner()


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text("version: 2\ntenant: {}\n", "utf-8")
    return file


def test_a_valid_registry_is_counted() -> None:
    result = RUN.invoke(app, ["validate", EXAMPLE])
    assert result.exit_code == 0
    assert result.stdout == f"{EXAMPLE}: 2 tenants, 4 apps: valid\n"
    assert result.stderr == ""


def test_one_is_written_as_one(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("version: 1\ntenants: {a: {apps: {b: {environment: staging, region: gwc}}}}\n")
    assert RUN.invoke(app, ["validate", str(file)]).stdout == f"{file}: 1 tenant, 1 app: valid\n"


def test_the_file_is_tenants_yaml_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert RUN.invoke(app, ["validate"]).stdout == "tenants.yaml: 2 tenants, 4 apps: valid\n"


def test_problems_go_to_standard_error_one_a_line_with_a_count(bad: Path) -> None:
    result = RUN.invoke(app, ["validate", str(bad)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f'{bad}:1:1: tenants: is missing: the file may be cut off; a registry without tenants says "tenants: {{}}"',
        f"{bad}:1:10: version: must be the number 1, the only version of the format, not 2",
        f'{bad}:2:1: tenant: is not a key here: write one of version, namespace, limits, templates, defaults, tenants, self_service, notify, prices (did you mean "tenants"?)',
        f"{bad}: 3 problems",
    ]


def test_json_has_every_problem_with_its_place(bad: Path) -> None:
    result = RUN.invoke(app, ["validate", str(bad), "--json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["valid"] is False
    assert answer["problems"][1] == {
        "file": str(bad),
        "line": 1,
        "column": 10,
        "path": "version",
        "message": "must be the number 1, the only version of the format, not 2",
    }


def test_json_of_a_valid_registry() -> None:
    result = RUN.invoke(app, ["validate", EXAMPLE, "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"valid": True, "problems": []}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["validate", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert "none.yaml: does not exist" in result.stderr


@pytest.fixture
def with_extensions(tmp_path: Path) -> Path:
    file = tmp_path / "tenants.yaml"
    web = "{environment: staging, region: gwc, database: {extensions: [citext, postgis, vector]}}"
    file.write_text(f"version: 1\ntenants: {{a: {{apps: {{b: {web}}}}}}}\n")
    return file


def test_an_extension_that_the_local_cloud_lacks_is_a_warning(
    with_extensions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def extensions(folder: Path) -> frozenset[str] | None:
        asked.append(folder)
        return frozenset({"citext"})

    monkeypatch.setattr("tenantry.running.local.extensions", extensions)
    result = RUN.invoke(app, ["validate", str(with_extensions)])
    assert (result.exit_code, asked) == (0, [with_extensions.parent])
    assert [line.partition(": a/b: ")[2] for line in result.stderr.splitlines()] == [
        f"the local cloud does not have the extension {name}: a run on it fails, one on Neon does not"
        for name in ("postgis", "vector")
    ]
    assert json.loads(RUN.invoke(app, ["validate", str(with_extensions), "--json"]).stdout)["valid"]


def test_where_no_local_cloud_tells_there_is_no_warning(
    with_extensions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.running.local.extensions", lambda _: None)
    assert RUN.invoke(app, ["validate", str(with_extensions)]).stderr == ""
