"""A YAML file read into plain values that remember where they stand.

The values are those of YAML 1.2's core schema, not of PyYAML's YAML 1.1: `on`, `no` and `1:30` are text,
`017` and `0x1F` are text (a reader of YAML 1.1 would see other numbers), and dates are text. Refused with
a position: duplicate keys, tags, keys that are not text, several documents, anchors that are missing,
repeated, recursive or multiplied beyond reason, and the characters that only YAML 1.1 takes for line
breaks. Anchors, aliases and merge keys (`<<`) work.

PyYAML's own constructors are not used: they accept duplicate keys and forget positions. The events of
libyaml, which it wraps, are enough and are fast.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, final

import yaml

from tenantry.registry.problems import Position, Problem, RegistryError, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: keys of mappings and indexes of sequences, from the root."""

MAX_DEPTH: Final = 32
"""Nesting that no registry reaches; the recursion below stays far from Python's own limit."""
MAX_ALIASED: Final = 1_000_000
"""Values that all aliases together may stand for, against files that multiply themselves."""

# No more digits than a float holds: a larger number is text, as a larger float is (`1e999`).
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,307})", re.ASCII)
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII
)
_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7}|\|{7}) ", re.MULTILINE)
# YAML 1.2.2, section 5.1: the characters that a stream may hold.
_FORBIDDEN: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
# libyaml still breaks lines here, YAML 1.2 (1.2.2, section 5.4) does not, and editors differ: what one
# reader sees in a comment is a key to another.
_BREAKS: Final = re.compile("[\x85\u2028\u2029]")
_NAME: Final = re.compile(r"[\w<-]{1,64}")


# Stands in a path for a key that is not text. No registry has such a key: it is not a name.
_NO_KEY: Final = "?"
# What an event has depends on its kind, more finely than PyYAML's stubs tell.
_Event: TypeAlias = Any


@final
class Empty:
    """The value of a key with nothing behind it (`database:`), `~` or `null`."""

    def __repr__(self) -> str:
        return "nothing"


EMPTY: Final = Empty()
_CONSTANTS: Final[Mapping[str, object]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), EMPTY),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Map(dict[str, object]):
    """A mapping with the positions of its keys and values, and which values an alias or `<<` brought."""

    __slots__ = ("at", "borrowed", "keys_at", "values_at")

    def __init__(self, at: Position) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[str, Position] = {}
        self.values_at: dict[str, Position] = {}
        self.borrowed: dict[str, Position] = {}


class Seq(list[object]):
    """A sequence with the positions of its items, and which of them an alias brought."""

    __slots__ = ("at", "borrowed", "values_at")

    def __init__(self, at: Position) -> None:
        super().__init__()
        self.at = at
        self.values_at: list[Position] = []
        self.borrowed: dict[int, Position] = {}


class Place(NamedTuple):
    """Where a value stands. `depth`: how many steps of the path exist; `origin`: where an aliased value is written."""

    at: Position
    depth: int
    origin: Position | None


class Document(NamedTuple):
    """A file's content: `root` is its value; `problems` and `bad` are the faults found and the paths that have them."""

    file: str
    text: str
    root: object
    problems: tuple[Problem, ...]
    bad: frozenset[Path]

    def locate(self, path: Path, *, key: bool = False) -> Place:
        """Find the value at `path`, or as much of the path as there is; with `key`, its key instead.

        A value that came through an alias or a merge key stands where it is used.
        """
        node: Any = self.root
        at, depth = getattr(node, "at", Position(1, 1)), 0
        used_at: Position | None = None
        for depth, step in enumerate(path):
            if isinstance(node, Map) and isinstance(step, str) and step in node:
                by_key = (key and depth == len(path) - 1) or node[step] is EMPTY
                at = node.keys_at[step] if by_key else node.values_at[step]
            elif isinstance(node, Seq) and isinstance(step, int) and step < len(node):
                at = node.values_at[step]
            else:
                break
            if step in node.borrowed:
                used_at = used_at or at
                at = node.borrowed[step]
            node = node[step]
        else:
            depth = len(path)
        return Place(at, depth, None) if used_at is None else Place(used_at, depth, at)

    def written(self, path: Path) -> str:
        """Return the plain scalar at `path` as the file has it, before it became a number (`5.10`)."""
        place = self.locate(path)
        line, column = place.origin or place.at
        lines = self.text.splitlines()
        match = (
            re.match(r"[^\s,\]}]+", lines[line - 1][column - 1 :]) if line <= len(lines) else None
        )
        return match[0] if match else ""


def dotted(path: Path) -> str:
    """Return a path as messages show it: `tenants.acme.apps.web.api_keys[0].name`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _NAME.fullmatch(step) else shown(step))
    return text


def read(content: bytes, file: str) -> Document:
    """Read a YAML file's bytes; `file` is its name in messages.

    Raises RegistryError where no values can be had: not UTF-8, not YAML, a character that only some
    readers take for a line break, empty or `null`. Other faults are in the document's `problems`, so that
    they are reported together with those found later.
    """
    text = _decode(content, file)
    if not text.isascii() and (found := _BREAKS.search(text)):
        message = "is a line break to some programs and none to others"
        raise RegistryError([_character_problem(text, found.start(), message, file)])
    composer = _Composer(text, file)
    try:
        root = composer.compose()
    except yaml.MarkedYAMLError as error:
        composer.problems.append(_syntax_problem(error, text, file))
        raise RegistryError(composer.problems) from None
    except yaml.reader.ReaderError:
        found = _FORBIDDEN.search(text)
        start = found.start() if found else 0
        message = "is not allowed in YAML"
        raise RegistryError([_character_problem(text, start, message, file)]) from None
    return Document(file, text, root, tuple(composer.problems), frozenset(composer.bad))


def _decode(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        message = (
            f"byte {error.start} (0x{content[error.start]:02x}) is not UTF-8: "
            "save the file as UTF-8 in your editor"
        )
        raise RegistryError([Problem(file, line, column, "", message)]) from None


class _Stop(yaml.MarkedYAMLError):
    """A fault after which the rest of the file makes no sense."""


class _Composer:
    def __init__(self, text: str, file: str) -> None:
        self.next: Callable[[], _Event] = yaml.CSafeLoader(text).get_event
        self.file = file
        self.problems: list[Problem] = []
        self.bad: set[Path] = set()
        self.anchors: dict[str, tuple[object, int, Position]] = {}
        self.open_anchors: set[str] = set()
        self.nodes = 0
        self.aliased = 0

    def compose(self) -> object:
        self.next()  # the stream's start
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            self.report(Position(1, 1), (), _EMPTY_FILE)
            raise RegistryError(self.problems)
        event = self.next()
        root = self.value(event, _position(event), ())
        if root is EMPTY and not self.problems:
            # Where nothing at all is written, libyaml's place is behind the file's last line.
            at = _position(event) if getattr(event, "value", "") else Position(1, 1)
            self.report(at, (), _EMPTY_FILE)
        self.next()  # the document's end
        event = self.next()
        if not isinstance(event, yaml.StreamEndEvent):
            at = _position(event)
            self.report(
                at,
                (),
                'a second document begins here: a registry is one document, remove the "---"',
            )
        if root is EMPTY:
            raise RegistryError(self.problems)
        return root

    def report(self, at: Position, path: Path, message: str, *, usable: bool = False) -> None:
        """Record a problem; unless the value is `usable` all the same, what is under `path` is not judged."""
        named = path[:-1] if path and path[-1] == _NO_KEY else path
        self.problems.append(Problem(self.file, at.line, at.column, dotted(named), message))
        if path and not usable:
            self.bad.add(path)

    def value(self, event: _Event, at: Position, path: Path) -> object:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(str(event.anchor), at, path)
        self.nodes += 1
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.report(at, path, f"the tag {shown(tag)} is not allowed: remove it")
        if event.anchor is None:
            return self.content(event, at, path)
        before = self.nodes
        if event.anchor in self.anchors:
            message = f'the anchor "&{event.anchor}" is defined twice: rename one'
            self.report(at, path, message, usable=True)
        self.open_anchors.add(event.anchor)
        value = self.content(event, at, path)
        self.open_anchors.discard(event.anchor)
        self.anchors[event.anchor] = (value, self.nodes - before + 1, at)
        return value

    def content(self, event: _Event, at: Position, path: Path) -> object:
        if isinstance(event, yaml.ScalarEvent):
            # A plain scalar has no style. One with a tag is reported already and stays text.
            return event.value if event.style or event.tag else resolve(event.value)
        if len(path) >= MAX_DEPTH:
            raise _Stop(
                problem=f"is nested deeper than {MAX_DEPTH} levels", problem_mark=event.start_mark
            )
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(at, path)
        return self.mapping(at, path)

    def alias(self, anchor: str, at: Position, path: Path) -> object:
        if anchor in self.open_anchors:
            self.report(at, path, f'the alias "*{anchor}" stands inside its own anchor: remove it')
        elif anchor not in self.anchors:
            hint = did_you_mean(anchor, self.anchors)
            self.report(
                at, path, f'the alias "*{anchor}" has no anchor "&{anchor}" before it{hint}'
            )
        else:
            value, size, _ = self.anchors[anchor]
            self.nodes += size
            self.aliased += size
            if self.aliased > MAX_ALIASED:
                message = f"the aliases up to here stand for more than {MAX_ALIASED} values: write them out"
                self.report(at, path, message)
                raise RegistryError(self.problems)
            return value
        return EMPTY

    def sequence(self, at: Position, path: Path) -> Seq:
        result = Seq(at)
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            index = len(result)
            if isinstance(event, yaml.AliasEvent) and event.anchor in self.anchors:
                result.borrowed[index] = self.anchors[event.anchor][2]
            at = _position(event)
            result.values_at.append(at)
            result.append(self.value(event, at, (*path, index)))
        return result

    def mapping(self, at: Position, path: Path) -> Map:
        result = Map(at)
        merge: tuple[Position, object] | None = None
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key_at = _position(event)
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style:
                event = self.next()
                merged = self.value(event, _position(event), (*path, "<<"))
                if merge:
                    message = f"{_twice(merge[0])}, a list merges several"
                    self.report(key_at, (*path, "<<"), message, usable=True)
                merge = merge or (key_at, merged)
                continue
            key = self.key(event, key_at, path)
            event = self.next()
            value_at = _position(event)
            if key is None:
                self.value(event, value_at, (*path, _NO_KEY))
                continue
            inner = (*path, key)
            value = self.value(event, value_at, inner)
            if key in result:
                self.report(key_at, inner, _twice(result.keys_at[key]), usable=True)
                continue
            result[key] = value
            result.keys_at[key] = key_at
            result.values_at[key] = value_at
            if isinstance(event, yaml.AliasEvent) and event.anchor in self.anchors:
                result.borrowed[key] = self.anchors[event.anchor][2]
        if merge:
            self.merge(result, merge[1], merge[0], path)
        return result

    def key(self, event: _Event, at: Position, path: Path) -> str | None:
        """Return a key's text; None, and a problem, where the key is anything but text."""
        key = self.value(event, at, (*path, _NO_KEY))
        if isinstance(key, str):
            return key
        if isinstance(event, yaml.ScalarEvent):
            what = f"the key {shown(event.value)}" if event.value else "a key that is empty"
            message = f"{what} is not text: write a name that starts with a letter"
        else:
            message = "a key must be text, not a list or a mapping"
        self.report(at, (*path, _NO_KEY), message)
        return None

    def merge(self, target: Map, source: object, at: Position, path: Path) -> None:
        """Add what `<<` names; keys that are written in `target`, and earlier sources, win."""
        for each in source if isinstance(source, Seq) else (source,):
            if not isinstance(each, Map):
                if (*path, "<<") not in self.bad:
                    self.report(
                        at,
                        (*path, "<<"),
                        f"must name a mapping (*anchor) or a list of them, not {shown(each)}",
                    )
                return
            for key in [key for key in each if key not in target]:
                target[key] = each[key]
                target.keys_at[key] = target.values_at[key] = at
                target.borrowed[key] = each.borrowed.get(key, each.values_at[key])


def resolve(text: str) -> object:
    """Return what a plain scalar stands for: a number, true or false, nothing, or the text itself."""
    if text[:1].isalpha() and text[:1] not in "nNtTfF":
        return text  # most scalars: names
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


_EMPTY_FILE: Final = (
    'the file is empty: a registry starts with "version: 1"; one without tenants says "tenants: {}"'
)


def _twice(first: Position) -> str:
    return f"is written twice: first at line {first.line}, again here; keep one"


def _position(event: _Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    if conflict := _CONFLICT.search(text):
        message = "a merge conflict is left in the file: settle it and remove its markers"
        return Problem(file, text.count("\n", 0, conflict.start()) + 1, 1, "", message)
    at = _marked(error.problem_mark) or _marked(error.context_mark) or Position(1, 1)
    begin = _marked(error.context_mark) or at
    rest = text.split("\n")[at.line - 1 :]
    line = rest[0] if rest else ""
    left = [line[at.column - 1 :], *rest[1:]]
    ended = not any(each.strip() and not each.lstrip().startswith("#") for each in left)
    if isinstance(error, _Stop):
        message = str(error.problem)
    elif "\t" in line[: len(line) - len(line.lstrip())]:
        message = "a tab is used to indent: YAML allows spaces only"
    elif "quoted scalar" in str(error.context) and "end of stream" in str(error.problem):
        at = begin
        message = "a quote is opened here and never closed: close it; or is the file cut off?"
    elif ended and (bracket := _open_bracket(text)):
        at, message = bracket
    elif error.problem == _NO_COLON:
        # libyaml sees it at the next token, which may be many lines below, or behind the last one.
        at = begin
        message = (
            'a key without ":" after it: add it; or is the file cut off here?'
            if ended
            else f"is not valid YAML: {_PLAINLY[_NO_COLON]}"
        )
    elif ended:
        at = begin
        message = "the file ends in the middle of a value: is it cut off?"
    else:
        problem = str(error.problem)
        message = f"is not valid YAML: {_PLAINLY.get(problem, problem)}"
        if begin.line != at.line:
            message += f" (begun at line {begin.line})"
    return Problem(file, at.line, at.column, "", message)


def _open_bracket(text: str) -> tuple[Position, str] | None:
    """Return where the innermost bracket stands that is open when `text` stops being YAML, and a message."""
    events = yaml.CSafeLoader(text)
    opened: list[_Event] = []
    try:
        while event := events.get_event():
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                opened.pop()
    except yaml.MarkedYAMLError:
        pass  # the error that is being explained
    if not opened or not opened[-1].flow_style:
        return None
    in_list = isinstance(opened[-1], yaml.SequenceStartEvent)
    what, end = ("list in brackets", "]") if in_list else ("mapping in braces", "}")
    message = f'a {what} is opened here and never closed: add its "{end}"; or is the file cut off?'
    return _position(opened[-1]), message


_NO_COLON: Final = "could not find expected ':'"
_PLAINLY: Final = {
    "mapping values are not allowed in this context": (
        'a ": " too many, or a line that is indented too far: quote the value, or move the line'
    ),
    "did not find expected key": "a line is indented unlike those above it, or a bracket is not closed",
    "did not find expected '-' indicator": "a line of a list is indented unlike those above it",
    _NO_COLON: 'a key without ":" after it',
    "did not find expected ',' or ']'": "a list in brackets lacks a comma or its end",
    "did not find expected ',' or '}'": "a mapping in braces lacks a comma or its end",
    "found unknown escape character": 'a "\\" in double quotes: double it, or use single quotes',
    "found character that cannot start any token": "a value begins with a sign of YAML's own: quote it",
}
"""libyaml's words for the faults that people make, in theirs."""


def _marked(mark: _Event) -> Position | None:
    return Position(mark.line + 1, mark.column + 1) if mark else None


def _character_problem(text: str, start: int, fault: str, file: str) -> Problem:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    message = f"the character U+{ord(text[start]):04X} {fault}: remove it"
    return Problem(file, line, column, "", message)
