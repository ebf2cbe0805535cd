"""`add_app` writes a block with comments and leaves every other byte."""

import re
from pathlib import Path

import pytest

from tenantry.registry.adding import add_app
from tenantry.registry.editing import EditError, RegistryFile
from tenantry.registry.loading import parse

ROOT = Path(__file__).parents[3]
HEAD = "version: 1\ndefaults: {environment: staging, region: aws-us-east-2}\n"


def added(tmp_path: Path, text: str, app: str, **given: str) -> str:
    path = tmp_path / "r.yaml"
    path.write_bytes(text.encode())
    edit = add_app(RegistryFile.read(path), app, **given)
    assert edit.before == text.encode()
    assert parse(edit.after, "r.yaml").app(app).deletion == "protect"
    return edit.after.decode()


@pytest.mark.parametrize("app", ["acme/api", "globex/api", "initech/api"])
def test_the_example_gets_an_app_and_keeps_every_line(tmp_path: Path, app: str) -> None:
    before = (ROOT / "tenants.yaml").read_text("utf-8")
    # A history of its own is looked for beside the file.
    before = before.replace("./migrations/lab", "base")
    after = added(tmp_path, before, app)
    kept = iter(after.splitlines())
    assert all(line in kept for line in before.splitlines())
    new = [line for line in after.splitlines() if line not in before.splitlines()]
    assert new[0].strip() in {"api:", "initech:"}
    assert any(line.strip().startswith("# database:") for line in new)


def test_what_is_taken_in_from_the_comments_is_valid(tmp_path: Path) -> None:
    after = added(tmp_path, f"{HEAD}tenants: {{}}\n", "a/b")
    lines = [
        re.sub("^( *)# ", r"\1", line)
        for line in after[after.index("      b:\n") :].splitlines()
        if "…" not in line
    ]
    text = f"{HEAD}tenants:\n  a:\n    apps:\n" + "\n".join(lines) + "\n"
    app = parse(text.encode(), "r.yaml").app("a/b")
    assert [app.database.branches[0].name, app.services[0].name] == ["staging", "auth"]
    assert app.graph is not None


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_braces_of_nothing_give_way_and_what_stands_behind_them_stays(
    tmp_path: Path, ending: str
) -> None:
    text = f"{HEAD}tenants:\n  a:\n    apps: {{}} # none yet\n  c: {{apps: {{}}}}\n"
    after = added(tmp_path, text.replace("\n", ending), "a/b")
    assert f"    apps: # none yet{ending}      b:{ending}        # environment" in after
    assert after.endswith(f"  c: {{apps: {{}}}}{ending}")


def test_comments_of_the_last_app_stay_with_it(tmp_path: Path) -> None:
    text = (
        f"{HEAD}tenants:\n  a:\n    apps:\n      b:\n        deletion: delete\n        # graph: later\n"
        "  # another tenant\n  c: {apps: {}}"
    )
    after = added(tmp_path, text, "a/d")
    assert "        # graph: later\n\n      d:\n" in after
    assert after.endswith("  # another tenant\n  c: {apps: {}}")


def test_what_the_defaults_do_not_say_has_to_be_given(tmp_path: Path) -> None:
    bare = "version: 1\ntenants: {}\n"
    with pytest.raises(EditError, match="the defaults have no environment: say --environment"):
        added(tmp_path, bare, "a/b")
    after = added(tmp_path, bare, "a/b", environment="production", region="eu-west-2")
    assert "        environment: production\n        region: eu-west-2\n" in after
    with pytest.raises(EditError) as refused:
        added(tmp_path, bare, "a/b", environment="productoin", region="eu-west-2")
    assert 'did you mean "production"?' in str(refused.value)


@pytest.mark.parametrize(
    ("tenants", "app", "why"),
    [
        ("{}", "a", "write tenant/app"),
        ("{}", "a/B", "write tenant/app"),
        ("{}", "all/b", "all"),
        ("{a: {apps: {b: {}}}}", "a/b", "r.yaml:3: a/b is there already"),
        ("{a: {apps: {b: {}}}}", "a/c", "one to a line"),
        ("\n  a: &a {apps: {}}\n  c: *a", "c/d", "is written elsewhere"),
    ],
)
def test_refusals(tmp_path: Path, tenants: str, app: str, why: str) -> None:
    with pytest.raises(EditError) as refused:
        added(tmp_path, f"{HEAD}tenants: {tenants}\n", app)
    assert why in str(refused.value)
