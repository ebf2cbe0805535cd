"""What is wrong with a text that is not YAML, in an operator's words."""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import yaml

from tenantry.registry.document import position
from tenantry.registry.problems import Position, Problem

# An event's attributes depend on its kind, and PyYAML's stubs do not say which it has.
_Event: TypeAlias = Any
_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7}|\|{7}) ", re.MULTILINE)


class StopError(yaml.MarkedYAMLError):
    """A fault after which the rest of the file makes no sense."""


def syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """Say where and why libyaml could not read `text`, the content of `file`."""
    if conflict := _CONFLICT.search(text):
        message = "a merge conflict is left in the file: settle it and remove its markers"
        return Problem(file, text.count("\n", 0, conflict.start()) + 1, 1, "", message)
    at = _position(error.problem_mark) or _position(error.context_mark) or Position(1, 1)
    begin = _position(error.context_mark) or at
    rest = text.split("\n")[at.line - 1 :]
    line = rest[0] if rest else ""
    left = [line[at.column - 1 :], *rest[1:]]
    ended = not any(each.strip() and not each.lstrip().startswith("#") for each in left)
    if isinstance(error, StopError):
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
    return position(opened[-1].start_mark), message


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


def _position(mark: yaml.Mark | None) -> Position | None:
    return position(mark) if mark else None
