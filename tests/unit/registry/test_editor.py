"""The editor changes one place, and leaves every other byte."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry import RegistryError, parse
from tenantry.registry.document import Path as Place
from tenantry.registry.editing import EditError, RegistryFile
from tenantry.registry.editor import NotWrittenError, add_block, flow, remove, set_value
from tenantry.registry.reading import read

HEAD = "version: 1\ndefaults: {environment: staging, region: gwc}\ntenants:\n  acme:\n    apps:\n"
APPS: Place = ("tenants", "acme", "apps")
WEB: Place = (*APPS, "web")


def registry_file(text: str) -> RegistryFile:
    content = text.encode()
    return RegistryFile(Path("tenants.yaml"), content, parse(content))


def put(apps: str, path: Place, value: object) -> str:
    edit = set_value(registry_file(HEAD + apps), path, value)
    return edit.after.decode().removeprefix(HEAD)


def removed(apps: str, path: Place) -> str:
    return remove(registry_file(HEAD + apps), path).after.decode().removeprefix(HEAD)


@pytest.mark.parametrize(
    ("apps", "path", "value", "after"),
    [
        (
            "      web: {deletion: protect} # c\n",
            (*WEB, "deletion"),
            "delete",
            "      web: {deletion: delete} # c\n",
        ),
        (
            "      web:\n        database:\n          statement_timeout: '30s' # c\n",
            (*WEB, "database", "statement_timeout"),
            "2m",
            "      web:\n        database:\n          statement_timeout: 2m # c\n",
        ),
        (
            "      web:\n        deletion: delete # c\n",
            (*WEB, "services"),
            ["auth", "storage"],
            "      web:\n        deletion: delete # c\n        services: [auth, storage]\n",
        ),
        (
            "      web: {services: [auth]}\n",
            (*WEB, "services"),
            ["storage"],
            "      web: {services: [storage]}\n",
        ),
        (
            "      web:\n        services:\n          - auth # c\n",
            (*WEB, "services"),
            ["auth", "storage"],
            "      web:\n        services:\n          - auth # c\n          - storage\n",
        ),
        (
            "      web: {services: [auth, storage]}\n",
            (*WEB, "services", 1),
            "realtime",
            "      web: {services: [auth, realtime]}\n",
        ),
        (
            "      web: {}\n",
            (*WEB, "database", "compute", "max_cu"),
            0.5,
            "      web: {database: {compute: {max_cu: 0.5}}}\n",
        ),
    ],
)
def test_a_value_is_set(apps: str, path: Place, value: object, after: str) -> None:
    assert put(apps, path, value) == after


def test_a_value_of_the_whole_registry_is_set() -> None:
    edit = set_value(registry_file(HEAD + "      web: {}\n"), ("defaults", "region"), "us-east-1")
    assert edit.after.decode().splitlines()[1] == (
        "defaults: {environment: staging, region: us-east-1}"
    )


@pytest.mark.parametrize(
    ("apps", "path", "value", "why"),
    [
        ("      web: {}\n", (*APPS, "api", "deletion"), "delete", "tenants.acme.apps.api is not"),
        ("      web: {}\n", (*WEB, "api_keys", 0, "name"), "a", "web.api_keys is not written"),
        (
            "      web: {}\n",
            (*WEB, "colour"),
            "red",
            "6: tenants.acme.apps.web is written in a form",
        ),
        (
            "      web:\n        services:\n          - auth\n",
            (*WEB, "services"),
            ["storage"],
            "is written over several lines: write services: [storage] by hand",
        ),
        (
            "      web: {database: {schema: base}}\n",
            (*WEB, "database", "schema", "revision"),
            "head",
            "no room for the change: write revision: head by hand",
        ),
        (
            "      web: {deletion: &d delete}\n      api: {deletion: *d}\n",
            (*WEB, "deletion"),
            "retain",
            "6: the change would reach further (acme/api), since an anchor is used elsewhere",
        ),
    ],
)
def test_what_cannot_be_set_is_refused(apps: str, path: Place, value: object, why: str) -> None:
    with pytest.raises(EditError) as refused:
        put(apps, path, value)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.booleans(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), inner)
        ),
    )
)
def test_a_value_that_is_written_is_read_as_it_was(value: Any) -> None:
    assert read(f"a: {flow(value)}\n".encode(), "f").root == {"a": value}


BLOCK = """\
      web:
        deletion: delete # c
        # Keys.
        api_keys:
          # One.
          - name: a
            # In it.
            scopes: [read]
          - {name: b} # d

      # Ours.
      api: {deletion: delete, services: [auth, storage], database: {compute: {max_cu: 1}}}
      # Behind.
"""


@pytest.mark.parametrize(
    ("path", "gone", "there"),
    [
        ((*WEB, "deletion"), "        deletion: delete # c\n", ""),
        (
            (*WEB, "api_keys"),
            BLOCK[BLOCK.index("        # Keys") : BLOCK.index("\n      # Ours")],
            "",
        ),
        (
            (*WEB, "api_keys", 0),
            BLOCK[BLOCK.index("          # One") : BLOCK.index("          - {name: b}")],
            "",
        ),
        ((*WEB, "api_keys", 0, "scopes"), "            # In it.\n            scopes: [read]\n", ""),
        ((*WEB, "api_keys", 1), "          - {name: b} # d\n", ""),
        ((*APPS, "api"), BLOCK[BLOCK.index("      # Ours") : BLOCK.index("      # Behind")], ""),
        ((*APPS, "api", "deletion"), "deletion: delete, ", ""),
        ((*APPS, "api", "services"), ", services: [auth, storage]", ""),
        ((*APPS, "api", "services", 0), "auth, ", ""),
        ((*APPS, "api", "services", 1), ", storage", ""),
        ((*APPS, "api", "database", "compute", "max_cu"), "{max_cu: 1}", "{}"),
        ((*APPS,), None, None),
    ],
)
def test_an_entry_is_removed(path: Place, gone: str | None, there: str | None) -> None:
    if gone is None or there is None:
        with pytest.raises(RegistryError, match="a tenant without apps says"):
            removed(BLOCK, path)
    else:
        kept = BLOCK.rpartition(gone)
        assert removed(BLOCK, path) == kept[0] + there + kept[2]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_the_last_entry_leaves_brackets_behind(ending: str) -> None:
    text = (HEAD + "      web:\n        services:\n        - auth # c\n\n# end").replace(
        "\n", ending
    )
    edit = remove(registry_file(text), (*WEB, "services", 0))
    expected = HEAD + "      web:\n        services: []\n\n# end"
    assert edit.after.decode() == expected.replace("\n", ending)
    edit = remove(registry_file(text), WEB)
    assert edit.after.decode() == (HEAD[:-1] + " {}\n\n# end").replace("\n", ending)


@pytest.mark.parametrize(
    ("apps", "path", "why"),
    [
        (BLOCK, (*WEB, "api_keys", 0, "name"), "stands in the line of something else"),
        (BLOCK, (*WEB, "database"), "tenants.acme.apps.web.database is not written there"),
        ("      # c\n      web: {}\n", WEB, "stands below a comment: write {} by hand"),
    ],
)
def test_what_cannot_be_removed_is_refused(apps: str, path: Place, why: str) -> None:
    with pytest.raises(EditError) as refused:
        removed(apps, path)
    assert why in str(refused.value)


def test_a_block_is_added_with_its_comments() -> None:
    file = registry_file(HEAD + "      web: {} # c\n        # of web\n  # of all\n")
    edit = add_block(file, (*APPS, "api"), ["# Mine.", "deletion: delete # d"])
    assert edit.after.decode() == (
        HEAD
        + "      web: {} # c\n        # of web\n\n      api:\n        # Mine.\n        deletion: delete # d\n"
        "  # of all\n"
    )
    with pytest.raises(NotWrittenError, match=r"tenants\.globex is not written there"):
        add_block(file, ("tenants", "globex", "apps", "api"), ["deletion: delete"])
    with pytest.raises(RegistryError, match="is not a key here"):
        add_block(file, (*APPS, "api"), ["colour: red"])
