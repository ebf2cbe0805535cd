import ast
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenantry.registry import parse
from tenantry.registry.schemas import plan_schemas
from tenantry.schemas.errors import SchemaError
from tenantry.schemas.history import history_of, read_history
from tenantry.schemas.structure import differences, structure_digest
from tenantry.schemas.templates import TEMPLATES

REGISTRY = """\
version: 1
defaults: {environment: development, region: aws-us-east-2}
tenants: {acme: {apps: {web: {database: {schema: SCHEMA}}}}}
"""


def write(folder: Path, id_: str, after: str, more: str = "") -> None:
    (folder / f"{id_}.py").write_text(f"revision: str = {id_!r}\ndown_revision = {after}\n{more}")


def test_a_chain_is_in_the_order_in_which_it_runs(tmp_path: Path) -> None:
    write(tmp_path, "z", "None")
    write(tmp_path, "b", "'z'")
    write(tmp_path, "a", "'z'", "depends_on = ['b']")
    write(tmp_path, "merged", "('a', 'b')")
    (tmp_path / "shared.py").write_text("x = 1\n")
    history = read_history("h", [tmp_path])
    assert history.resolve("head") == "merged"
    assert history.up_to("merged") == ("z", "b", "a", "merged")
    assert history.up_to("b") == ("z", "b")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": "None", "b": "None"}, "has 2 heads, a, b"),
        ({"a": "'gone'"}, 'a.py follows "gone", which is not there'),
        ({"a": "'b'", "b": "'a'"}, "follow each other in a circle"),
        ({"a": "compute()"}, "must be written out"),
        ({"a": "("}, "is not Python"),
        ({}, "has no revision"),
    ],
)
def test_a_broken_chain_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for id_, after in files.items():
        write(tmp_path, id_, after)
    with pytest.raises(SchemaError, match=said):
        read_history("h", [tmp_path]).resolve("head")


def test_a_digest_changes_with_a_file_up_to_the_target_only(tmp_path: Path) -> None:
    write(tmp_path, "a", "None")
    write(tmp_path, "b", "'a'")
    before = read_history("h", [tmp_path])
    write(tmp_path, "b", "'a'", "# edited\n")
    after = read_history("h", [tmp_path])
    assert before.digest(["a"]) == after.digest(["a"])
    assert before.digest(["a", "b"]) != after.digest(["a", "b"])


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_has_one_head_and_all_of_base(template: str) -> None:
    history, _ = history_of(template, None)
    applied = history.up_to(history.resolve("head"))
    assert set(applied) == set(history.revisions)
    assert set(history_of("base", None)[0].revisions) <= set(applied)


def test_a_plan_names_the_revisions_and_the_extensions(tmp_path: Path) -> None:
    registry = parse(REGISTRY.replace("SCHEMA", "neonhub").encode())
    plan = plan_schemas(registry.apps, tmp_path / "tenants.yaml")["acme/web"]
    assert plan.revisions == ("base_0001", "neonhub_0001")
    assert plan.extensions == ("pg_trgm",)


def test_a_folder_that_is_not_there_is_refused_with_the_app(tmp_path: Path) -> None:
    registry = parse(REGISTRY.replace("SCHEMA", "./nowhere").encode())
    with pytest.raises(SchemaError, match=r"tenants\.yaml:3: acme/web: schema: .* is not a folder"):
        plan_schemas(registry.apps, tmp_path / "tenants.yaml")


def test_a_difference_is_said_in_words() -> None:
    assert differences({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == [
        "a is gone",
        "b is changed",
        "c is new",
    ]
    assert structure_digest({"a": "1", "b": "2"}) == structure_digest({"b": "2", "a": "1"})


def test_planning_and_the_provider_import_neither_alembic_nor_sqlalchemy() -> None:
    code = (
        "import sys, providers.schema, tenantry.registry.schemas as p, tenantry.schemas.migrating;"
        "p.history_of('neonhub', None);"
        "sys.exit(any(m in sys.modules for m in ('alembic', 'sqlalchemy')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_one_thread_at_a_time_parses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse_one, inside, most = ast.parse, threading.Semaphore(), []

    def watched(content: bytes) -> ast.Module:
        alone = inside.acquire(blocking=False)
        most.append(alone)
        time.sleep(0.01)
        if alone:
            inside.release()
        return parse_one(content)

    monkeypatch.setattr("tenantry.schemas.history.ast.parse", watched)
    folders = [tmp_path / str(number) for number in range(8)]
    for folder in folders:
        folder.mkdir()
        write(folder, f"one_{folder.name}", "None")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda folder: read_history("h", [folder]), folders))
    assert most == [True] * 8
