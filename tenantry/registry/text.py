"""Where each value of a YAML text begins and ends, and the places at which something can be put into it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

# An event's attributes depend on its kind, and PyYAML's stubs do not say which it has.
_Event: TypeAlias = Any

LINE_END: Final = re.compile("\r\n|\r|\n")
_COMMENT: Final = re.compile(r"(?P<indent> *)#")


@dataclass
class Node:
    """A value in the text: where it begins and ends (behind its last character), and what is in it."""

    start: int
    end: int
    is_alias: bool = False
    in_brackets: bool = False
    fields: dict[str, Node] = field(default_factory=dict)
    """Of a mapping: what stands in it itself, `<<` included."""
    column: int = 0
    """Of a mapping: where its first key begins, counted from 0."""
    items: list[Node] = field(default_factory=list)
    entry: int = 0
    """Of what is in a mapping or a list: where its key begins, or its dash, or, in brackets, the value itself."""

    @property
    def is_block(self) -> bool:
        """Whether it is a mapping or a list without brackets."""
        return not self.in_brackets and bool(self.fields or self.items)


def compose(text: str) -> Node:
    """Return the tree of a text that `reading` has read before, without a fault."""
    loader = yaml.CSafeLoader(text)
    events = iter(loader.get_event, None)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            break
    return _node(next(events), events, text)


def _node(event: _Event, events: Iterator[_Event], text: str) -> Node:
    node = Node(event.start_mark.index, event.end_mark.index)
    match event:
        case yaml.AliasEvent():
            node.is_alias = True
        case yaml.ScalarEvent():
            # A block scalar's end is where the next token begins.
            node.end = node.start + len(text[node.start : node.end].rstrip())
        case yaml.SequenceStartEvent():
            node.in_brackets = bool(event.flow_style)
            while not isinstance(each := next(events), yaml.SequenceEndEvent):
                node.items.append(item := _node(each, events, text))
                item.entry = item.start if node.in_brackets else text.rfind("-", 0, item.start)
            node.end = _end(node, each, node.items)
        case yaml.MappingStartEvent():
            node.in_brackets = bool(event.flow_style)
            # Every key is one scalar: the registry has been read.
            while not isinstance(each := next(events), yaml.MappingEndEvent):
                if not node.fields:
                    node.column = each.start_mark.column
                node.fields[each.value] = value = _node(next(events), events, text)
                value.entry = each.start_mark.index
            node.end = _end(node, each, list(node.fields.values()))
    return node


def _end(node: Node, event: _Event, inner: list[Node]) -> int:
    # Without brackets, the end that the parser tells is where the next token begins.
    return event.end_mark.index if node.in_brackets or not inner else inner[-1].end


def line_of(text: str, index: int) -> int:
    """Return the number of the line that a place is in, from 1."""
    return sum(1 for _ in LINE_END.finditer(text, 0, index)) + 1


def line_start(text: str, at: int) -> int:
    """Return where the line begins that `at` is in."""
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def line_end(text: str, at: int) -> int:
    """Return where the line ends that `at` is in, in front of its line end."""
    found = LINE_END.search(text, at)
    return found.start() if found else len(text)


def line_behind(text: str, at: int, line: str) -> tuple[int, int, str]:
    """Return a new line behind the one that `at` is in, with that line's ending."""
    end = line_end(text, at)
    return end, end, ending_at(text, at) + line


def behind_comments(text: str, end: int, column: int) -> int:
    """Pass over the comments below a line's end that begin behind a column: they belong to what stands above them."""
    while found := LINE_END.match(text, end):
        comment = _COMMENT.match(text, found.end())
        if comment is None or len(comment["indent"]) <= column:
            break
        end = line_end(text, found.end())
    return end


def above_comments(text: str, begin: int, column: int) -> int:
    """Pass over the comments directly above a line's begin that begin at a column: they belong to that line."""
    while begin:
        above = line_start(text, begin - (2 if text.startswith("\r\n", begin - 2) else 1))
        comment = _COMMENT.match(text, above)
        if comment is None or len(comment["indent"]) != column:
            break
        begin = above
    return begin


def ending_at(text: str, at: int) -> str:
    """Return the line end that is used at a place."""
    found = LINE_END.search(text, at) or LINE_END.search(text)
    return found[0] if found else "\n"
