"""`rotate_login` raises one number and leaves every other byte."""

from pathlib import Path

import pytest

from tenantry.registry.editing import EditError, NoSuchKeyError, RegistryFile
from tenantry.registry.loading import parse
from tenantry.registry.rotating import rotate_login

HEAD = "version: 1\ndefaults: {environment: staging, region: aws-us-east-2}\n"


def rotated(tmp_path: Path, text: str, app: str = "a/b") -> str:
    path = tmp_path / "r.yaml"
    path.write_bytes(text.encode())
    edit = rotate_login(RegistryFile.read(path), app)
    assert edit.before == text.encode()
    return edit.after.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("b: {}", "b: {database: {credentials: {generation: 2}}}"),
        (
            "b: {services: [auth]}",
            "b: {services: [auth], database: {credentials: {generation: 2}}}",
        ),
        ("b: {database: {}}", "b: {database: {credentials: {generation: 2}}}"),
        (
            "b: {database: {credentials: {generation: 7}}} # why",
            "b: {database: {credentials: {generation: 8}}} # why",
        ),
    ],
)
def test_in_one_line(tmp_path: Path, before: str, after: str) -> None:
    text = f"{HEAD}tenants:\n  a:\n    apps:\n      {before}\n      c: {{}}\n"
    assert rotated(tmp_path, text) == text.replace(before, after)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "services: [auth] # who\n        database: # here\n          schema: base # old\n",
            (
                "services: [auth] # who\n        database: # here\n          schema: base # old\n"
                "          credentials: {generation: 2}\n"
            ),
        ),
        (
            "deletion: delete\n",
            "deletion: delete\n        database: {credentials: {generation: 2}}\n",
        ),
        (
            "database:\n          credentials:\n            # the second\n            generation: 2\n",
            "database:\n          credentials:\n            # the second\n            generation: 3\n",
        ),
    ],
)
def test_in_lines_comments_and_line_ends_stay(
    tmp_path: Path, before: str, after: str, ending: str
) -> None:
    text = f"{HEAD}tenants:\n  a:\n    apps:\n      b:\n        {before}      c: {{}}\n"
    expected = text.replace(before, after).replace("\n", ending)
    assert rotated(tmp_path, text.replace("\n", ending)) == expected
    assert parse(expected.encode(), "r.yaml").app("a/c").database.credentials.generation == 1


def test_what_others_share_is_refused(tmp_path: Path) -> None:
    shared = (
        f"{HEAD}tenants:\n  a:\n    apps:\n      b: {{database: &d {{credentials: {{generation: 1}}}}}}\n"
        "      c: {database: *d}\n"
    )
    for app, why in (("a/b", "would reach further (a/c)"), ("a/c", "*d is written elsewhere")):
        with pytest.raises(EditError) as refused:
            rotated(tmp_path, shared, app)
        assert why in str(refused.value)
        assert "\n" not in str(refused.value)
    with pytest.raises(NoSuchKeyError, match='did you mean "a/b"'):
        rotated(tmp_path, shared, "a/bb")


def test_a_merge_that_brings_the_database_is_refused(tmp_path: Path) -> None:
    text = (
        f"{HEAD}tenants:\n  a:\n    apps:\n      c: &c {{database: {{connection_limit: 7}}}}\n"
        "      b: {<<: *c}\n"
    )
    with pytest.raises(EditError, match="would reach further"):
        rotated(tmp_path, text)
