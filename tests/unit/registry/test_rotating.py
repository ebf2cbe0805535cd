"""Raising a generation, or revoking one, leaves every other byte."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry import Registry, parse
from tenantry.registry.editing import Edit, EditError, NoSuchKeyError, RegistryFile
from tenantry.registry.rotating import revoke_key, rotate_key, rotate_login
from tests.unit.registry.layouts import registries

FILE = Path("tenants.yaml")
HEAD = """\
version: 1 # one
defaults: {environment: staging, region: us-east-1}
tenants:
  acme:
    apps:
      web: # ours
"""


def registry_file(text: str) -> RegistryFile:
    return RegistryFile(FILE, text.encode(), parse(text.encode()))


def rotated(keys: str, key: str = "default") -> str:
    return changed(rotate_key(registry_file(HEAD + keys), "acme/web", key))


def revoked(keys: str, *generations: int, key: str = "default") -> str:
    return changed(revoke_key(registry_file(HEAD + keys), "acme/web", key, generations))


def changed(edit: Edit) -> str:
    after = edit.after.decode()
    assert after.startswith(HEAD)
    return after.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        (
            "        api_keys: [{name: default}]\n",
            "        api_keys: [{name: default, generation: 2}]\n",
        ),
        (
            "        api_keys: [{ generation: 9, name: 'default' }] # c\n",
            "        api_keys: [{ generation: 10, name: 'default' }] # c\n",
        ),
        (
            "        api_keys:\n          - {name: default, scopes: [read], expires: 2027-06-30} # c\n",
            "        api_keys:\n          - {name: default, scopes: [read], generation: 2, expires: 2027-06-30} # c\n",
        ),
        (
            "        api_keys:\n          - {\n              name: default, # c\n              scopes: [read], # d\n            }\n",
            "        api_keys:\n          - {\n              name: default, # c\n              scopes: [read], generation: 2, # d\n            }\n",
        ),
        (
            "        api_keys:\n        - name: default # c\n          # d\n        # e\n        deletion: delete\n",
            "        api_keys:\n        - name: default # c\n          generation: 2\n          # d\n        # e\n        deletion: delete\n",
        ),
        (
            "        api_keys:\n          - scopes:\n              - read # r\n              - write # w\n            name: default\n\n\n",
            "        api_keys:\n          - scopes:\n              - read # r\n              - write # w\n            generation: 2\n            name: default\n\n\n",
        ),
        (
            "        api_keys:\n          - name: default\n            generation: 2 # c",
            "        api_keys:\n          - name: default\n            generation: 3 # c",
        ),
        (
            "        api_keys:\n          - name: default",
            "        api_keys:\n          - name: default\n            generation: 2",
        ),
        (
            "        api_keys:\n          - name: >-\n              default\n\n          # c\n",
            "        api_keys:\n          - name: >-\n              default\n            generation: 2\n\n          # c\n",
        ),
        (
            '        "api_keys": [{"name":"default"}]\n',
            '        "api_keys": [{"name":"default", generation: 2}]\n',
        ),
        (
            "        api_keys: [{name: default, scopes: &s [read], generation: &g 2}]\n",
            "        api_keys: [{name: default, scopes: &s [read], generation: &g 3}]\n",
        ),
        (
            "        api_keys: [{name: a, generation: &g 2}, {name: default, generation: *g}]\n",
            "        api_keys: [{name: a, generation: &g 2}, {name: default, generation: 3}]\n",
        ),
        (
            "        api_keys: [&k {name: a, generation: 2}, {<<: *k, name: default}]\n",
            "        api_keys: [&k {name: a, generation: 2}, {<<: *k, name: default, generation: 3}]\n",
        ),
    ],
)
def test_rotating_changes_the_generation_and_nothing_else(keys: str, after: str) -> None:
    assert rotated(keys) == after


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        (
            "        api_keys: [{name: default, scopes: [read]}]\n",
            "        api_keys: [{name: default, scopes: [read], revoked: [1]}]\n",
        ),
        (
            "        api_keys: [{name: default, generation: 3, revoked: [2, 3,] }]\n",
            "        api_keys: [{name: default, generation: 3, revoked: [2, 3, 1,] }]\n",
        ),
        (
            "        api_keys: [{name: default, revoked: [ ]}]\n",
            "        api_keys: [{name: default, revoked: [ 1]}]\n",
        ),
        (
            "        api_keys:\n          - name: default\n            generation: 3\n            revoked:\n            - 2 # c\n            expires: 2027-06-30\n",
            "        api_keys:\n          - name: default\n            generation: 3\n            revoked:\n            - 2 # c\n            - 1\n            expires: 2027-06-30\n",
        ),
        (
            "        api_keys:\n          - name: default # c\n            expires: 2027-06-30\n",
            "        api_keys:\n          - name: default # c\n            revoked: [1]\n            expires: 2027-06-30\n",
        ),
        (
            "        api_keys: [{name: a, generation: 3, revoked: &r [2]}, {name: default, generation: 2, revoked: *r}]\n",
            "        api_keys: [{name: a, generation: 3, revoked: &r [2]}, {name: default, generation: 2, revoked: [2, 1]}]\n",
        ),
        (
            "        api_keys: [&k {name: a, generation: 2, revoked: [2]}, {<<: *k, name: default}]\n",
            "        api_keys: [&k {name: a, generation: 2, revoked: [2]}, {<<: *k, name: default, revoked: [2, 1]}]\n",
        ),
    ],
)
def test_revoking_adds_to_what_is_revoked(keys: str, after: str) -> None:
    assert revoked(keys, 1) == after


def test_several_generations_are_revoked_at_once_and_none_twice() -> None:
    keys = "        api_keys: [{name: default, generation: 4, revoked: [3]}]\n"
    assert revoked(keys, 4, 3, 2) == keys.replace("[3]", "[3, 2, 4]")
    block = "        api_keys:\n          - name: default\n            generation: 4\n            revoked:\n              - 3\n"
    assert revoked(block, 4, 3, 2) == block + "              - 2\n              - 4\n"
    assert revoked(keys, 3) == keys


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            "        api_keys: [name: default]\n",
            "7: the API key is written in a form that has no room for the change",
        ),
        (
            "        api_keys: [&k {name: default}]\n      api: {api_keys: [*k]}\n",
            "7: the change would reach further (acme/api), since an anchor is used elsewhere",
        ),
        (
            "        api_keys: [{name: default, generation: &g 1}]\n        database: {connection_limit: *g}\n",
            "7: the change would reach further (acme/web), since an anchor is used elsewhere",
        ),
    ],
)
def test_what_would_reach_further_is_refused(keys: str, said: str) -> None:
    with pytest.raises(EditError) as refused:
        rotated(keys)
    assert str(refused.value).startswith(f"tenants.yaml:{said}")
    assert str(refused.value).endswith("write generation: 2 by hand")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "version: 1\ndefaults: {environment: staging, region: gwc, api_keys: [{name: default}]}\ntenants:\n  acme: {apps: {web: {}}}\n",
            '4: the API keys of acme/web are not written there (they come from defaults or through "<<"), so a change would reach other apps: give it an "api_keys" of its own',
        ),
        (
            "version: 1\ndefaults: {environment: staging, region: gwc, api_keys: &k [{name: default}]}\ntenants:\n  acme:\n    apps:\n      web:\n        api_keys: *k\n",
            "7: *k is written elsewhere and shared, so a change for acme/web would reach further: write it out here",
        ),
        (
            "version: 1\ndefaults: {environment: staging, region: gwc, api_keys: [&k {name: default}]}\ntenants: {acme: {apps: {web: {api_keys: [*k]}}}}\n",
            "3: *k is written elsewhere and shared, so a change for acme/web would reach further: write it out here",
        ),
    ],
)
def test_a_key_that_is_shared_is_left_to_the_operator(text: str, said: str) -> None:
    with pytest.raises(EditError) as refused:
        rotate_key(registry_file(text), "acme/web", "default")
    assert str(refused.value) == f"tenants.yaml:{said}"


@pytest.mark.parametrize(
    ("app", "key", "said"),
    [
        (
            "acme/wbe",
            "default",
            ': no app "acme/wbe" in the registry (did you mean "acme/web"?)',
        ),
        (
            "acme/web",
            "defualt",
            ":6: acme/web has no API key 'defualt': it has default, ro (did you mean \"default\"?)",
        ),
        ("acme/api", "x", ":8: acme/api has no API key 'x': it has none"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(app: str, key: str, said: str) -> None:
    file = registry_file(HEAD + "        api_keys: [{name: default}, {name: ro}]\n      api: {}\n")
    with pytest.raises(EditError) as refused:
        rotate_key(file, app, key)
    assert str(refused.value) == f"tenants.yaml{said}"


def test_an_app_that_was_asked_for_is_changed_elsewhere() -> None:
    head, _, tenants = (HEAD + "        api_keys: [{name: default}]\n").partition("tenants:")
    file = registry_file(f"{head}self_service: {{plans: {{small: {{}}}}}}\ntenants:{tenants}")
    with pytest.raises(EditError, match=r"one that was asked for is changed through the service$"):
        rotate_key(file, "acme/shop", "default")


@pytest.mark.parametrize("generation", [0, 3])
def test_a_generation_that_is_not_there_cannot_be_revoked(generation: int) -> None:
    with pytest.raises(EditError, match=f"no generation {generation}: write one from 1 to 2"):
        revoked("        api_keys: [{name: default, generation: 2}]\n", 1, generation)


def only_difference(edit: Edit) -> tuple[str, str]:
    """The one part of the text that was replaced, and what it was replaced by."""
    before, after = edit.before.decode(), edit.after.decode()
    start = common(before, after)
    rest, new = before[start:], after[start:]
    same = common(rest[::-1], new[::-1])
    return rest[: len(rest) - same], new[: len(new) - same]


def common(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def dump(registry: Registry) -> dict[str, Any]:
    return registry.model_dump(mode="json")


def set_in(registry: Registry, app_id: str, key: str, **fields: object) -> dict[str, Any]:
    values = dump(registry)
    (app,) = (app for app in values["apps"] if app["id"] == app_id)
    (entry,) = (entry for entry in app["api_keys"] if entry["name"] == key)
    entry |= fields
    return values


@given(registries(), st.sampled_from(["acme/web", "acme/old"]))
def test_a_rotation_in_any_layout_keeps_every_other_byte(text: str, app: str) -> None:
    content = text.encode()
    file = RegistryFile(FILE, content, parse(content))
    generation = file.api_key(app, "default").generation
    edit = rotate_key(file, app, "default")
    assert dump(parse(edit.after)) == set_in(
        file.registry, app, "default", generation=generation + 1
    )
    gone, new = only_difference(edit)
    assert re.fullmatch(r"[0-9]{0,3}", gone)
    assert re.fullmatch(
        r"[0-9]{0,3}|[\s,]*generation: [0-9]+\s*|.{0,20}generation: 2.{0,20}", new, re.DOTALL
    )


@given(registries(), st.sampled_from(["acme/web", "acme/old"]))
def test_a_revocation_in_any_layout_keeps_every_other_byte(text: str, app: str) -> None:
    content = text.encode()
    file = RegistryFile(FILE, content, parse(content))
    key = file.api_key(app, "default")
    edit = revoke_key(file, app, "default", [1, key.generation])
    wanted = [*key.revoked, *sorted({1, key.generation} - set(key.revoked))]
    assert dump(parse(edit.after)) == set_in(file.registry, app, "default", revoked=wanted)
    gone, new = only_difference(edit)
    assert gone == ""
    assert len(new) <= 60
    again = RegistryFile(FILE, edit.after, parse(edit.after))
    assert revoke_key(again, app, "default", [1]).after == edit.after


LOGIN_HEAD = "version: 1\ndefaults: {environment: staging, region: aws-us-east-2}\n"


def login_rotated(tmp_path: Path, text: str, app: str = "a/b") -> str:
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
    text = f"{LOGIN_HEAD}tenants:\n  a:\n    apps:\n      {before}\n      c: {{}}\n"
    assert login_rotated(tmp_path, text) == text.replace(before, after)


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
    text = f"{LOGIN_HEAD}tenants:\n  a:\n    apps:\n      b:\n        {before}      c: {{}}\n"
    expected = text.replace(before, after).replace("\n", ending)
    assert login_rotated(tmp_path, text.replace("\n", ending)) == expected
    assert parse(expected.encode(), "r.yaml").app("a/c").database.credentials.generation == 1


def test_a_login_that_others_share_is_refused(tmp_path: Path) -> None:
    shared = (
        f"{LOGIN_HEAD}tenants:\n  a:\n    apps:\n      b: {{database: &d {{credentials: {{generation: 1}}}}}}\n"
        "      c: {database: *d}\n"
    )
    for app, why in (("a/b", "would reach further (a/c)"), ("a/c", "*d is written elsewhere")):
        with pytest.raises(EditError) as refused:
            login_rotated(tmp_path, shared, app)
        assert why in str(refused.value)
        assert "\n" not in str(refused.value)
    with pytest.raises(NoSuchKeyError, match='did you mean "a/b"'):
        login_rotated(tmp_path, shared, "a/bb")


def test_a_merge_that_brings_the_database_is_refused(tmp_path: Path) -> None:
    text = (
        f"{LOGIN_HEAD}tenants:\n  a:\n    apps:\n      c: &c {{database: {{connection_limit: 7}}}}\n"
        "      b: {<<: *c}\n"
    )
    with pytest.raises(EditError, match="would reach further"):
        login_rotated(tmp_path, text)
