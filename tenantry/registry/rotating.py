"""Raises the generation of an app's login in `tenants.yaml`; every other byte of the file stays (see `editing`)."""

from __future__ import annotations

import re

from tenantry.registry.editing import Edit, EditError, RegistryFile, refuse_alias
from tenantry.registry.loading import parse
from tenantry.registry.problems import RegistryError
from tenantry.registry.text import Node, compose, line_behind, line_of

_PATH = ("database", "credentials", "generation")


def rotate_login(file: RegistryFile, app_id: str) -> Edit:
    """Raise `database.credentials.generation` of an app by one; what is not written there yet is written in the app itself.

    :param app_id: `tenant/app`
    :raises NoSuchKeyError: there is no such app
    :raises EditError: the change would reach further, or the layout has no room for it
    """
    app = file.app(app_id)
    wanted = app.database.credentials.generation + 1
    bom, text = file.text()
    node = compose(text)
    for step in ("tenants", app.tenant, "apps", app.name):
        inner = node.fields.get(step)
        if inner is None:
            raise EditError(
                f'{file.path}:{app.location.line}: {app_id} is not written there (it comes through "<<"): write it out, then this again'
            )
        node = inner
        refuse_alias(file, text, node, app_id)
    start, end, new = _change(file, text, node, app_id, wanted)
    after = (bom + text[:start] + new + text[end:]).encode()
    _judge(file, after, app_id, wanted, line_of(text, start))
    return Edit(file.path, file.content, after)


def _change(
    file: RegistryFile, text: str, node: Node, app_id: str, wanted: int
) -> tuple[int, int, str]:
    """Return what part of the text to replace by what."""
    for depth, step in enumerate(_PATH):
        inner = node.fields.get(step)
        if inner is None:
            return _inserted(text, node, _PATH[depth:], wanted)
        node = inner
        if step != _PATH[-1]:
            refuse_alias(file, text, node, app_id)
    # An anchor before the number stays.
    digits = None if node.is_alias else re.search(r"[0-9]+\Z", text[node.start : node.end])
    return (node.start + digits.start() if digits else node.start), node.end, str(wanted)


def _inserted(text: str, mapping: Node, path: tuple[str, ...], wanted: int) -> tuple[int, int, str]:
    name, *inner = path
    value = str(wanted)
    for each in reversed(inner):
        value = f"{{{each}: {value}}}"
    if not mapping.fields:
        # `{}`, perhaps behind an anchor.
        at = text.index("{", mapping.start) + 1
        return at, mapping.end - 1, f"{name}: {value}"
    last = [*mapping.fields.values()][-1]
    if mapping.in_brackets:
        return last.end, last.end, f", {name}: {value}"
    return line_behind(text, last.end, f"{' ' * mapping.column}{name}: {value}")


def _judge(file: RegistryFile, after: bytes, app_id: str, wanted: int, line: int) -> None:
    """Refuse a new text whose registry differs from the old one in anything but the generation."""
    by_hand = f"write {'.'.join(_PATH)} {wanted} by hand"
    try:
        registry = parse(after, str(file.path))
    except RegistryError:
        raise EditError(
            f"{file.path}:{line}: {app_id} is written in a form that has no room for the change: {by_hand}"
        ) from None
    expected = {app.id: app.model_dump(mode="json") for app in file.registry.apps}
    expected[app_id]["database"]["credentials"]["generation"] = wanted
    found = {app.id: app.model_dump(mode="json") for app in registry.apps}
    others = [each for each in expected if found.get(each) != expected[each]]
    if others or len(found) != len(expected) or registry.tenants != file.registry.tenants:
        raise EditError(
            f"{file.path}:{line}: the change would reach further ({', '.join(others)}), since an anchor or a merge is used: write "
            f"the app's database out, then {by_hand}"
        )
