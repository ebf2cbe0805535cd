"""From the events of a YAML parser to plain values with their positions.

Refused with a position: duplicate keys, tags, keys that are not text, several documents, and anchors that are missing,
repeated, recursive or multiplied beyond reason. Anchors, aliases and merge keys (`<<`) work.

PyYAML's own constructors are not used: they accept duplicate keys and forget positions. The events of libyaml, which it
wraps, are enough and are fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tenantry.errors import did_you_mean, shown
from tenantry.registry.document import Map, Seq, dotted, position
from tenantry.registry.problems import Problem, RegistryError
from tenantry.registry.scalars import EMPTY, resolve
from tenantry.registry.syntax import StopError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.registry.document import Mark, Path

MAX_DEPTH: Final = 32
"""No registry is nested so deeply. The recursion here stays far from Python's own limit."""
MAX_ALIASED: Final = 1_000_000
"""The most values that all aliases together may stand for: a small file can multiply itself by aliases."""

# Stands in a path for a key that is not text. No registry has such a key: it is not a name.
_NO_KEY: Final = "?"
# An event's attributes depend on its kind, and PyYAML's stubs do not say which it has.
_Event: TypeAlias = Any
_EMPTY_FILE: Final = (
    'the file is empty: a registry starts with "version: 1"; one without tenants says "tenants: {}"'
)


class Composer:
    """Reads one document. `problems` and `bad` are the faults found and the paths that have them."""

    def __init__(self, text: str, file: str) -> None:
        self._next: Callable[[], _Event] = yaml.CSafeLoader(text).get_event
        self._file = file
        self.problems: list[Problem] = []
        self.bad: set[Path] = set()
        self._anchors: dict[str, tuple[object, int, Mark]] = {}
        self._open_anchors: set[str] = set()
        self._nodes = 0
        self._aliased = 0

    def compose(self) -> object:
        """Return the document's value.

        :raises RegistryError: there is none: the file is empty, or its aliases stand for too much
        :raises yaml.YAMLError: the text is not YAML, or is nested too deeply
        """
        first = self._next().start_mark
        event = self._next()
        if isinstance(event, StreamEndEvent):
            self._report(first, (), _EMPTY_FILE)
            raise RegistryError(self.problems)
        event = self._next()
        root = self._node(event, event.start_mark, ())
        if root is EMPTY and not self.problems:
            # Where nothing at all is written, libyaml's place is behind the file's last line.
            at = event.start_mark if getattr(event, "value", "") else first
            self._report(at, (), _EMPTY_FILE)
        self._next()  # the document's end
        event = self._next()
        if not isinstance(event, StreamEndEvent):
            at = event.start_mark
            self._report(
                at,
                (),
                'a second document begins here: a registry is one document, remove the "---"',
            )
        if root is EMPTY:
            raise RegistryError(self.problems)
        return root

    def _report(self, at: Mark, path: Path, message: str, *, usable: bool = False) -> None:
        """Record a problem. What is under `path` is not checked any further, unless its value is `usable`."""
        named = path[:-1] if path and path[-1] == _NO_KEY else path
        self.problems.append(Problem(self._file, *position(at), dotted(named), message))
        if path and not usable:
            self.bad.add(path)

    def _value(self, event: _Event, at: Mark, above: Path, step: str | int) -> object:
        """Return the value that stands at `step` under `above`. Most are plain scalars, which need no path."""
        if event.__class__ is ScalarEvent and event.anchor is None and event.tag is None:
            self._nodes += 1
            return event.value if event.style else resolve(event.value)
        return self._node(event, at, (*above, step))

    def _node(self, event: _Event, at: Mark, path: Path) -> object:
        if isinstance(event, AliasEvent):
            return self._alias(str(event.anchor), at, path)
        self._nodes += 1
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._report(at, path, f"the tag {shown(tag)} is not allowed: remove it")
        if event.anchor is None:
            return self._content(event, at, path)
        before = self._nodes
        if event.anchor in self._anchors:
            message = f'the anchor "&{event.anchor}" is defined twice: rename one'
            self._report(at, path, message, usable=True)
        self._open_anchors.add(event.anchor)
        value = self._content(event, at, path)
        self._open_anchors.discard(event.anchor)
        self._anchors[event.anchor] = (value, self._nodes - before + 1, at)
        return value

    def _content(self, event: _Event, at: Mark, path: Path) -> object:
        if isinstance(event, ScalarEvent):
            # A plain scalar has no style. One with a tag is reported already and stays text.
            return event.value if event.style or event.tag else resolve(event.value)
        if len(path) >= MAX_DEPTH:
            raise StopError(
                problem=f"is nested deeper than {MAX_DEPTH} levels", problem_mark=event.start_mark
            )
        if isinstance(event, SequenceStartEvent):
            return self._sequence(at, path)
        return self._mapping(at, path)

    def _alias(self, anchor: str, at: Mark, path: Path) -> object:
        if anchor in self._open_anchors:
            self._report(at, path, f'the alias "*{anchor}" stands inside its own anchor: remove it')
        elif anchor not in self._anchors:
            hint = did_you_mean(anchor, self._anchors)
            self._report(
                at, path, f'the alias "*{anchor}" has no anchor "&{anchor}" before it{hint}'
            )
        else:
            value, size, _ = self._anchors[anchor]
            self._nodes += size
            self._aliased += size
            if self._aliased > MAX_ALIASED:
                message = f"the aliases up to here stand for more than {MAX_ALIASED} values: write them out"
                self._report(at, path, message)
                raise RegistryError(self.problems)
            return value
        return EMPTY

    def _sequence(self, at: Mark, path: Path) -> Seq:
        result = Seq(at)
        while (event := self._next()).__class__ is not SequenceEndEvent:
            index = len(result)
            at = event.start_mark
            result.values_at.append(at)
            result.append(self._value(event, at, path, index))
            if event.__class__ is AliasEvent and event.anchor in self._anchors:
                result.borrowed[index] = self._anchors[event.anchor][2]
        return result

    def _mapping(self, at: Mark, path: Path) -> Map:
        result = Map(at)
        merge: tuple[Mark, object] | None = None
        while (event := self._next()).__class__ is not MappingEndEvent:
            key_at = event.start_mark
            if event.__class__ is ScalarEvent and event.value == "<<" and not event.style:
                event = self._next()
                merged = self._value(event, event.start_mark, path, "<<")
                if merge:
                    message = f"{_twice(merge[0])}, a list merges several"
                    self._report(key_at, (*path, "<<"), message, usable=True)
                merge = merge or (key_at, merged)
                continue
            key = self._value(event, key_at, path, _NO_KEY)
            if not isinstance(key, str):
                self._refuse_key(event, key_at, path)
                event = self._next()
                self._value(event, event.start_mark, path, _NO_KEY)
                continue
            event = self._next()
            value_at = event.start_mark
            value = self._value(event, value_at, path, key)
            if key in result:
                self._report(key_at, (*path, key), _twice(result.keys_at[key]), usable=True)
                continue
            result[key] = value
            result.keys_at[key] = key_at
            result.values_at[key] = value_at
            if event.__class__ is AliasEvent and event.anchor in self._anchors:
                result.borrowed[key] = self._anchors[event.anchor][2]
        if merge:
            self._merge(result, merge[1], merge[0], path)
        return result

    def _refuse_key(self, event: _Event, at: Mark, path: Path) -> None:
        if isinstance(event, ScalarEvent):
            what = f"the key {shown(event.value)}" if event.value else "a key that is empty"
            message = f"{what} is not text: write a name that starts with a letter"
        else:
            message = "a key must be text, not a list or a mapping"
        self._report(at, (*path, _NO_KEY), message)

    def _merge(self, target: Map, source: object, at: Mark, path: Path) -> None:
        """Add what `<<` names; keys that are written in `target`, and earlier sources, win."""
        for each in source if isinstance(source, Seq) else (source,):
            if not isinstance(each, Map):
                if (*path, "<<") not in self.bad:
                    self._report(
                        at,
                        (*path, "<<"),
                        f"must name a mapping (*anchor) or a list of them, not {shown(each)}",
                    )
                return
            for key in [key for key in each if key not in target]:
                target[key] = each[key]
                target.keys_at[key] = target.values_at[key] = at
                target.borrowed[key] = each.borrowed.get(key, each.values_at[key])


def _twice(first: Mark) -> str:
    return f"is written twice: first at line {first.line + 1}, again here; keep one"
