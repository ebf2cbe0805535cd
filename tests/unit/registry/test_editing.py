import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry import Registry, RegistryError, parse
from tenantry.registry.editing import Edit, EditError, RegistryFile, revoke_key, rotate_key

ROOT = Path(__file__).parents[3]
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


@pytest.mark.parametrize("generation", [0, 3])
def test_a_generation_that_is_not_there_cannot_be_revoked(generation: int) -> None:
    with pytest.raises(EditError, match=f"no generation {generation}: write one from 1 to 2"):
        revoked("        api_keys: [{name: default, generation: 2}]\n", 1, generation)


# Registries in every layout: what a key has, how it is written, and what stands around it.
comments = st.sampled_from(["", " # c", "  #- {name: default, generation: 7}", " # ü\U0001f511"])
fields = st.fixed_dictionaries(
    {},
    optional={
        "scopes": st.sampled_from(["[read]", "[ read,write ]", '["read"]']),
        "generation": st.integers(1, 120).map(str),
        "revoked": st.sampled_from(["[]", "[1]", "[ 1 ]"]),
        "expires": st.sampled_from(["2027-06-30", "'2027-06-30'"]),
    },
)


@st.composite
def keys_in(draw: st.DrawFn, indent: int) -> str:
    names = draw(st.permutations(["default", "a", "b"]))[: draw(st.integers(1, 3))]
    if "default" not in names:
        names = [*names, "default"]
    entries = []
    for name in names:
        pairs = [("name", draw(st.sampled_from([name, f'"{name}"', f"'{name}'"])))]
        pairs = draw(st.permutations([*pairs, *draw(fields).items()]))
        entries.append(pairs)
    layout = draw(st.sampled_from(["flow", "items", "block"]))
    pad = " " * indent
    if layout == "flow":
        inner = ", ".join("{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}" for pairs in entries)
        return f"{pad}api_keys: [{inner}]{draw(comments)}\n"
    dash = pad + draw(st.sampled_from(["", "  ", "    "])) + "-"
    gap = draw(st.sampled_from([" ", "   "]))
    text = f"{pad}api_keys:{draw(comments)}\n"
    for pairs in entries:
        if layout == "items":
            end = draw(st.sampled_from(["}", " }", ",}"]))
            text += (
                f"{dash}{gap}{{{', '.join(f'{k}: {v}' for k, v in pairs)}{end}{draw(comments)}\n"
            )
            continue
        lead = dash + gap
        for name, value in pairs:
            written = value
            if name in {"scopes", "revoked"} and draw(st.booleans()) and value.strip("[] "):
                items = value.strip("[] ").split(",")
                written = "".join(f"\n{' ' * len(lead)}- {item}{draw(comments)}" for item in items)
            text += f"{lead}{name}: {written}{draw(comments)}\n"
            lead = " " * len(lead)
            text += draw(st.sampled_from(["", "\n", f"{lead}# between\n", "# at the margin\n"]))
    return text


@st.composite
def registries(draw: st.DrawFn) -> str:
    text = f"# a registry{draw(comments)}\nversion: 1\ndefaults: {{environment: staging, region: gwc}}\n"
    text += "tenants:\n  acme:\n    apps:\n"
    for app in draw(st.permutations(["web", "api", "old"])):
        text += f"      {app}:{draw(comments)}\n        deletion: delete\n{draw(keys_in(8))}"
        text += draw(st.sampled_from(["", "        services: [auth]\n", "\n\n"]))
    if draw(st.booleans()):
        text = text.rstrip("\n")
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", ending)


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


@given(registries())
def test_the_diff_is_one_that_patch_takes(text: str) -> None:
    content = text.encode()
    edit = rotate_key(RegistryFile(FILE, content, parse(content)), "acme/web", "default")
    assert patched(content.decode(), edit.diff()) == edit.after.decode()


def patched(text: str, diff: str) -> str:
    """Apply a unified diff, strictly: every line that it shows must be there."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    result: list[str] = []
    at = 0
    shown = re.findall(r"[^\n]*\n", diff)
    assert shown[:2] == ["--- a/tenants.yaml\n", "+++ b/tenants.yaml\n"]
    for number, line in enumerate(shown[2:], 2):
        without_end = number + 1 < len(shown) and shown[number + 1].startswith("\\")
        content = line[1:].removesuffix("\n") if without_end else line[1:]
        match line[0]:
            case "@":
                start = int(line.split()[1].lstrip("-").split(",")[0]) - 1
                result += lines[at:start]
                at = start
            case " " | "-":
                assert lines[at] == content
                result += [content] if line[0] == " " else []
                at += 1
            case "+":
                result.append(content)
    return "".join([*result, *lines[at:]])


def test_writing_keeps_the_mode_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_bytes((ROOT / "tenants.yaml").read_bytes())
    path.chmod(0o640)
    rotate_key(RegistryFile.read(path), "acme/web", "reports").write()
    assert "{name: reports, scopes: [read], generation: 2}" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_writing_follows_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "registry.yaml"
    real.write_bytes((ROOT / "tenants.yaml").read_bytes())
    link = tmp_path / "tenants.yaml"
    link.symlink_to("real/registry.yaml")
    rotate_key(RegistryFile.read(link), "globex/search", "ingest").write()
    assert link.is_symlink()
    assert "generation: 3" in real.read_text()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_bytes((ROOT / "tenants.yaml").read_bytes())
    edit = rotate_key(RegistryFile.read(path), "acme/web", "reports")
    path.write_text("version: 1\ntenants: {}\n")
    with pytest.raises(EditError, match="was changed meanwhile"):
        edit.write()
    assert path.read_text() == "version: 1\ntenants: {}\n"


def test_a_write_that_fails_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tenants.yaml"
    before = (ROOT / "tenants.yaml").read_bytes()
    path.write_bytes(before)
    edit = rotate_key(RegistryFile.read(path), "acme/web", "reports")

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EditError, match="cannot be written: No space left on device"):
        edit.write()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_registry_with_faults_is_not_edited(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_text("version: 2\ntenants: {}\n")
    with pytest.raises(RegistryError, match="must be the number 1"):
        RegistryFile.read(tmp_path / "tenants.yaml")
    with pytest.raises(RegistryError, match="cannot be read: No such file"):
        RegistryFile.read(tmp_path / "none.yaml")


def test_git_applies_the_diff(tmp_path: Path) -> None:
    example = (ROOT / "tenants.yaml").read_bytes()
    (tmp_path / "tenants.yaml").write_bytes(example)
    edit = rotate_key(RegistryFile(FILE, example, parse(example)), "acme/web", "default")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=edit.diff().encode(), check=True)
    assert (tmp_path / "tenants.yaml").read_bytes() == edit.after
