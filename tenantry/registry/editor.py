"""The editor of `tenants.yaml`: set a value, add a block, remove an entry. Every other byte stays as it is.

The file is not written anew from its values: only the text that has to change is replaced, at the places that the YAML
parser reports (`text`). Comments, order, quotes, layout and line ends stay. Afterwards the new text is read again, and
the change is refused unless the file's values differ in that one place: an anchor that others use, or a layout that has
no room for the change, is left to the operator.

Paths are those of `document`: `("tenants", "acme", "apps", "web", "api_keys", 0, "generation")`.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from tenantry.registry.document import dotted
from tenantry.registry.editing import Edit, EditError
from tenantry.registry.loading import parse
from tenantry.registry.problems import RegistryError
from tenantry.registry.reading import read
from tenantry.registry.scalars import resolve
from tenantry.registry.text import (
    LINE_END,
    Node,
    above_comments,
    behind_comments,
    compose,
    ending_at,
    line_behind,
    line_end,
    line_of,
    line_start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tenantry.registry.document import Path
    from tenantry.registry.editing import RegistryFile

_APP: Final = 4
"""Steps to an app: `tenants`, the tenant, `apps`, the app. An edit of a value never makes one of them."""
_WORD: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)*")


class NotWrittenError(EditError):
    """What is to be changed is not written there: it comes from the defaults, or through `<<`."""


def set_value(
    file: RegistryFile, path: Path, value: object, *, what: str = "", behind: Sequence[str] = ()
) -> Edit:
    """Set the value at a path; what is missing of the path inside an app is written too.

    A list that only grows keeps its layout and comments.

    :param value: numbers, text, true or false, and lists and mappings of them
    :param what: what the value belongs to, for messages; without it, its path
    :param behind: after which of the keys beside it a new key is written, the first that there is; else after the last
    :raises NotWrittenError: the app, or a list that the path goes through, is not written there
    :raises EditError: the change would reach further, or the layout has no room for it
    """
    text, root = file.text(), file.values
    nodes = _along(file, text, path[:-1])
    node, depth = nodes[-1], len(nodes) - 1
    if depth < min(_APP, len(path) - 1) or any(isinstance(step, int) for step in path[depth + 1 :]):
        _all_along(file, text, path[:-1])
    place, what = f"{file.path}:{line_of(text, node.start)}", what or dotted(path[:-1])
    key, by_hand = path[depth], f"write {path[-1]}: {flow(value)} by hand"
    old = node.fields.get(str(key)) if isinstance(key, str) else node.items[key]
    if old is None:
        inner = value
        for step in reversed(path[depth + 1 :]):
            inner = {step: inner}
        start, end, new = _inserted(text, node, str(key), flow(inner), behind)
    elif isinstance(value, list | tuple) and not old.is_alias and _grows(root, path, value):
        start, end, new = _appended(text, old, value)
    elif old.is_block:
        raise EditError(f"{place}: {dotted(path)} is written over several lines: {by_hand}")
    else:
        start, end, new = _content(text, old), old.end, flow(value)
    try:
        return _judged(file, text[:start] + new + text[end:], _with(root, path, value))
    except RegistryError:
        raise EditError(
            f"{place}: {what} is written in a form that has no room for the change: {by_hand}"
        ) from None
    except _FurtherError as further:
        raise EditError(
            f"{place}: the change would reach further ({further}), since an anchor is used elsewhere: write {what} out, "
            f"then {by_hand}"
        ) from None


def add_block(file: RegistryFile, path: Path, block: Sequence[str]) -> Edit:
    """Add a key with a block of lines, comments among them, behind the last key of a mapping.

    :param path: to the new key; the mapping that it is added to is written there
    :param block: the lines of its value, indented from 0
    :raises NotWrittenError: the mapping is not written there
    :raises EditError: the change would reach further, or the layout has no room for it
    :raises RegistryError: the file would have faults, all of them
    """
    text, key = file.text(), path[-1]
    *_, above, mapping = _all_along(file, text, path[:-1])
    place = f"{file.path}:{line_of(text, mapping.start)}"
    if mapping.in_brackets and mapping.fields:
        raise EditError(
            f"{place}: what is there is written in braces, which have no room for comments: write it one to a line"
        )
    at, ending = mapping.end, ending_at(text, mapping.end)
    if mapping.in_brackets:
        # `{}` gives way; what stands behind it in the line stays.
        column, apart = above.column + 2, []
        before = text[: text.index("{", mapping.start)].rstrip(" ")
        rest, at = text[at:], len(before)
        end = line_end(before + rest, at)
        kept = before + rest
    else:
        column, apart, kept = mapping.column, [""], text
        end = behind_comments(text, line_end(text, at), column)
    lines = [*apart, f"{key}:", *(f"  {line}" for line in block)]
    new = "".join(ending + (f"{' ' * column}{line}" if line else "") for line in lines)
    value = read("\n".join(block).encode(), str(file.path)).root
    return _only_there(file, kept[:end] + new + kept[end:], _with(file.values, path, value), place)


def remove(file: RegistryFile, path: Path) -> Edit:
    """Remove a key of a mapping, or an item of a list, with the comments in it and those directly above it.

    The last one leaves `{}` or `[]` behind.

    :raises NotWrittenError: it is not written there
    :raises EditError: the change would reach further, or the layout has no room for it
    """
    text, key = file.text(), path[-1]
    *_, parent, node = _all_along(file, text, path)
    place = f"{file.path}:{line_of(text, node.start)}"
    inside = [*parent.fields.values()] if isinstance(key, str) else parent.items
    index = next(n for n, each in enumerate(inside) if each is node)
    if len(inside) == 1:
        after = _emptied(text, parent, "{}" if isinstance(key, str) else "[]", place)
    elif parent.in_brackets:
        # With its comma: the one behind the entry before it, or, of the first, the one behind itself.
        after = (
            text[: inside[index - 1].end] + text[node.end :]
            if index
            else text[: node.entry] + text[inside[1].entry :]
        )
    else:
        begin = line_start(text, node.entry)
        if text[begin : node.entry].strip(" "):
            raise EditError(
                f"{place}: {dotted(path)} stands in the line of something else: remove it by hand"
            )
        end = behind_comments(text, line_end(text, node.end), node.entry - begin)
        begin = above_comments(text, begin, node.entry - begin)
        after = text[:begin] + text[min(end + len(ending_at(text, end)), len(text)) :]
    return _only_there(file, after, _without(file.values, path), place)


def rename_key(file: RegistryFile, path: Path, new: str) -> Edit:
    """Give a key of a mapping another name; its quotes, its value and its place stay.

    :param new: a label that is not a key there
    :raises NotWrittenError: it is not written there
    :raises EditError: the change would reach further
    """
    text, old = file.text(), str(path[-1])
    node = _all_along(file, text, path)[-1]
    start = node.entry + (text[node.entry] in "\"'")
    after = text[:start] + new + text[start + len(old) :]
    above = _at(file.values, path[:-1])
    renamed = {new if key == old else key: value for key, value in above.items()}
    place = f"{file.path}:{line_of(text, node.entry)}"
    return _only_there(file, after, _with(file.values, path[:-1], renamed), place)


def block_of(file: RegistryFile, path: Path) -> list[str]:
    """Return the lines of a key's value as `add_block` takes them, with the comments in it and below it.

    :raises NotWrittenError: it is not written there
    """
    text = file.text()
    node = _all_along(file, text, path)[-1]
    if not node.is_block:
        return [text[node.start : node.end]]
    column = node.column
    end = behind_comments(text, line_end(text, node.end), column - 1)
    lines = LINE_END.split(text[line_end(text, node.entry) : end])[1:]
    return [line[min(column, len(line) - len(line.lstrip(" "))) :] for line in lines]


def flow(value: object) -> str:
    """Return a value as it is written in one line of YAML: `3`, `[1, 2]`, `{generation: 2}`."""
    match value:
        case str():
            if _WORD.fullmatch(value) and resolve(value) == value:
                return value
            quoted = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)
            return str(quoted).rstrip("\n")
        case dict():
            return f"{{{', '.join(f'{flow(key)}: {flow(each)}' for key, each in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(flow, value))}]"
        case _:
            return json.dumps(value)


def _along(file: RegistryFile, text: str, path: Path) -> list[Node]:
    """Return what is written along a path, the root first; it ends where nothing more is written."""
    nodes = [compose(text)]
    for step in path:
        node = nodes[-1]
        if isinstance(step, str):
            inner = node.fields.get(step)
        else:
            inner = node.items[step] if step < len(node.items) else None
        if inner is None:
            break
        if inner.is_alias:
            raise EditError(
                f"{file.path}:{line_of(text, inner.start)}: {text[inner.start : inner.end]} is written elsewhere and "
                f"shared, so a change for {_whose(path)} would reach further: write it out here"
            )
        nodes.append(inner)
    return nodes


def _all_along(file: RegistryFile, text: str, path: Path) -> list[Node]:
    nodes = _along(file, text, path)
    if len(nodes) <= len(path):
        raise NotWrittenError(
            f"{file.path}:{line_of(text, nodes[-1].start)}: {dotted(path[: len(nodes)])} is not written there (it comes "
            'from the defaults or through "<<"): write it out, then this again'
        )
    return nodes


def _whose(path: Path) -> str:
    """Return the app that a path leads into, else the path."""
    return f"{path[1]}/{path[3]}" if path[0] == "tenants" and len(path) >= _APP else dotted(path)


def _content(text: str, node: Node) -> int:
    """Return where a value begins behind its anchor, which stays."""
    found = None if node.is_alias else _PROPERTIES.match(text, node.start)
    return found.end() if found else node.start


def _inserted(
    text: str, mapping: Node, key: str, value: str, behind: Sequence[str]
) -> tuple[int, int, str]:
    """Return what part of the text to replace by what, so that the mapping has one more key."""
    if not mapping.fields:
        # `{}`, perhaps behind an anchor.
        at = text.find("{", mapping.start, mapping.end) + 1 or mapping.end
        return at, max(at, mapping.end - 1), f"{key}: {value}"
    last = next((each for each in behind if each in mapping.fields), [*mapping.fields][-1])
    at = mapping.fields[last].end
    if mapping.in_brackets:
        return at, at, f", {key}: {value}"
    return line_behind(text, at, f"{' ' * mapping.column}{key}: {value}")


def _grows(root: Any, path: Path, value: Sequence[object]) -> bool:  # noqa: ANN401  # the values of a YAML file
    old = _at(root, path)
    return isinstance(old, list) and list(value[: len(old)]) == old and len(value) > len(old)


def _appended(text: str, sequence: Node, values: Sequence[object]) -> tuple[int, int, str]:
    new = [flow(value) for value in values[len(sequence.items) :]]
    if not sequence.items:
        return sequence.end - 1, sequence.end - 1, ", ".join(new)
    last = sequence.items[-1]
    if sequence.in_brackets:
        return last.end, last.end, "".join(f", {value}" for value in new)
    indent = " " * (last.entry - line_start(text, last.entry))
    ending = ending_at(text, last.end)
    return line_behind(text, last.end, ending.join(f"{indent}- {value}" for value in new))


def _emptied(text: str, parent: Node, brackets: str, place: str) -> str:
    """Return the text with brackets of nothing in the place of what is in a mapping or list."""
    start, end = _content(text, parent), parent.end
    if parent.in_brackets:
        return text[:start] + brackets + text[end:]
    above = text[:start].rstrip()
    above = above.removesuffix("-").rstrip() if brackets == "[]" else above
    if "#" in above[line_start(above, len(above)) :]:
        raise EditError(f"{place}: the last entry stands below a comment: write {brackets} by hand")
    return f"{above} {brackets}{text[behind_comments(text, line_end(text, end), parent.column) :]}"


def _only_there(file: RegistryFile, after: str, wanted: object, place: str) -> Edit:
    try:
        return _judged(file, after, wanted)
    except _FurtherError as further:
        raise EditError(
            f"{place}: this would change other things as well ({further}): write it by hand"
        ) from None


class _FurtherError(Exception):
    """The new text differs in more than what was to change; says where."""


def _judged(file: RegistryFile, text: str, wanted: object) -> Edit:
    """Return the change, if the new text is a registry with the values that are wanted.

    :raises RegistryError: it is no registry
    :raises _FurtherError: it has other values
    """
    after = file.encoded(text)
    parse(after, str(file.path))
    found = read(after, str(file.path)).root
    if further := dict.fromkeys(_whose(path) for path in _differences(wanted, found, ())):
        raise _FurtherError(", ".join(further))
    return Edit(file.path, file.content, after)


def _differences(wanted: object, found: object, path: Path) -> Iterator[Path]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in {**wanted, **found}:
            if key in wanted and key in found:
                yield from _differences(wanted[key], found[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, pair in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(*pair, (*path, index))
    elif wanted != found or type(wanted) is not type(found):
        yield path


def _at(root: Any, path: Path) -> Any:  # noqa: ANN401  # the values of a YAML file
    for step in path:
        root = root[step]
    return root


def _with(root: Any, path: Path, value: object) -> Any:  # noqa: ANN401  # the values of a YAML file
    """Return a copy with a value set; what other paths share stays."""
    if not path:
        return list(value) if isinstance(value, tuple) else value
    step, rest = path[0], path[1:]
    if isinstance(root, list) and isinstance(step, int):
        return [_with(each, rest, value) if n == step else each for n, each in enumerate(root)]
    below = root if isinstance(root, dict) else {}
    return below | {step: _with(below.get(step), rest, value)}


def _without(root: Any, path: Path) -> Any:  # noqa: ANN401  # the values of a YAML file
    step, rest = path[0], path[1:]
    if rest:
        return _with(root, (step,), _without(root[step], rest))
    if isinstance(root, list):
        return [each for n, each in enumerate(root) if n != step]
    return {key: each for key, each in root.items() if key != step}
