"""Adds an app to `tenants.yaml` as a block with comments; every other byte of the file stays (see `editing`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tenantry.registry.editing import Edit, EditError, RegistryFile, refuse_alias
from tenantry.registry.loading import parse
from tenantry.registry.names import LABEL
from tenantry.registry.problems import RegistryError, shown
from tenantry.registry.text import LINE_END, Node, compose, ending_at, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_LATER: Final = """\
# database:
#   schema: base # a template (base, neonhub), or the folder of a history of your own
#   extensions: [pg_trgm]
#   compute: {min_cu: 0.25, max_cu: 2, suspend_after: 5m}
#   branches: {staging: {}}
# services: [auth, realtime, storage]
# api_keys: [{name: default, scopes: [read, write]}]
# graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB}
deletion: protect # or retain, delete: what may happen to its data when it leaves
"""
_FIXED: Final = {
    "environment": "production, staging or development",
    "region": "cannot be changed later without a new, empty project",
}
"""What an app must have, from itself or the defaults."""
_COMMENT: Final = re.compile(r"(?P<indent>[ ]*)#")


def add_app(file: RegistryFile, app_id: str, *, environment: str = "", region: str = "") -> Edit:
    """Write a new app behind the last one of its tenant, and the tenant behind the last one where it is new too.

    :param app_id: `tenant/app`
    :param environment: `production`, `staging` or `development`; empty: as the registry's defaults say
    :param region: a region of Neon; empty: as the registry's defaults say
    :raises EditError: the app is there already, its name is none, something that the defaults do not say is missing, or the layout
        has no room for it
    """
    tenant, _, name = app_id.partition("/")
    for label in (tenant, name):
        if not LABEL.fullmatch(label):
            raise EditError(
                f"{shown(app_id)}: write tenant/app, each of lower-case letters, digits and single hyphens, a letter first"
            )
    for app in file.registry.apps:
        if app.id == app_id:
            raise EditError(f"{file.path}:{app.location.line}: {app_id} is there already")
    bom, text = file.text()
    root = compose(text)
    tenants = root.fields["tenants"]
    block = _app(_given(file, root, environment=environment, region=region))
    if tenant in tenants.fields:
        node = tenants.fields[tenant]
        refuse_alias(file, text, node, app_id)
        if "apps" not in node.fields:
            raise EditError(
                f'{file.path}:{line_of(text, node.start)}: the apps of {tenant} are not written there (they come through "<<"): write them out'
            )
        new = _put(file, text, node.fields["apps"], node.column, [f"{name}:", *_in(block)])
    else:
        lines = [
            f"name: {tenant} # as people read it",
            f"# contact: platform@{tenant}.example",
            "apps:",
            *_in([f"{name}:", *_in(block)]),
        ]
        new = _put(file, text, tenants, root.column, [f"{tenant}:", *_in(lines)])
    after = (bom + new).encode()
    _judge(file, after, app_id)
    return Edit(file.path, file.content, after)


def _given(file: RegistryFile, root: Node, **given: str) -> dict[str, str | None]:
    """Return the value of each field that an app must have; None where the defaults give it."""
    defaults = root.fields.get("defaults", Node(0, 0)).fields
    values: dict[str, str | None] = {}
    for key, value in given.items():
        if not value and key not in defaults and "<<" not in defaults:
            raise EditError(f"{file.path}: the defaults have no {key}: say --{key}")
        values[key] = value or None
    return values


def _app(given: dict[str, str | None]) -> list[str]:
    lines = [
        f"{key}: {value}" if value else f"# {key}: … # by the defaults; {_FIXED[key]}"
        for key, value in given.items()
    ]
    return [*lines, *_LATER.splitlines()]


def _in(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _put(file: RegistryFile, text: str, mapping: Node, above: int, lines: list[str]) -> str:
    """Return the text with lines behind the last of a mapping, whose own key begins at the column `above`."""
    refuse_alias(file, text, mapping, lines[0].rstrip(":"))
    if mapping.in_brackets and mapping.fields:
        raise EditError(
            f"{file.path}:{line_of(text, mapping.start)}: what is there is written in braces, which have no room for comments: write it "
            "one to a line"
        )
    column = above + 2 if mapping.in_brackets else mapping.column
    at = mapping.end
    ending = ending_at(text, at)
    if mapping.in_brackets:
        # `{}` gives way; what stands behind it in the line stays.
        begin = text.index("{", mapping.start)
        text = text[:begin].rstrip(" ") + text[at:]
        at = len(text[:begin].rstrip(" "))
        end = _line_end(text, at)
    else:
        end = _behind_comments(text, _line_end(text, at), column)
    apart = [] if mapping.in_brackets else [""]
    put = "".join(ending + (f"{' ' * column}{line}" if line else "") for line in [*apart, *lines])
    return text[:end] + put + text[end:]


def _line_end(text: str, at: int) -> int:
    found = LINE_END.search(text, at)
    return found.start() if found else len(text)


def _behind_comments(text: str, end: int, column: int) -> int:
    """Pass over comments that are further in than the mapping's keys: they belong to the last of them."""
    while found := LINE_END.match(text, end):
        comment = _COMMENT.match(text, found.end())
        if comment is None or len(comment["indent"]) <= column:
            break
        end = _line_end(text, found.end())
    return end


def _judge(file: RegistryFile, after: bytes, app_id: str) -> None:
    """Refuse a new text that is no registry, or in which anything but the new app is another.

    :raises EditError: with every problem of the new text
    """
    try:
        registry = parse(after, str(file.path))
    except RegistryError as error:
        raise EditError(f"{app_id} cannot be added so:\n{error}") from None
    before = {app.id: app.model_dump(mode="json") for app in file.registry.apps}
    found = {app.id: app.model_dump(mode="json") for app in registry.apps}
    tenants = {each.label: each for each in registry.tenants}
    same = all(tenants.get(each.label) == each for each in file.registry.tenants)
    if not same or {key: found[key] for key in found if key != app_id} != before:
        raise EditError(f"{file.path}: {app_id} would change other apps: add it by hand")
