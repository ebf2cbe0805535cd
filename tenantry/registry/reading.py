"""From a file's bytes to a document.

Refused with a position: what is not UTF-8, what is not YAML, and the characters that only YAML 1.1 takes for line
breaks.
"""

from __future__ import annotations

import re
from typing import Final

import yaml

from tenantry.registry.composing import Composer
from tenantry.registry.document import Document
from tenantry.registry.problems import Problem, RegistryError
from tenantry.registry.syntax import syntax_problem

# YAML 1.2.2, section 5.1: the characters that a stream may hold.
_FORBIDDEN: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
# libyaml still breaks lines here, and YAML 1.2 does not (1.2.2, section 5.4). Editors differ too: what is in a comment
# for one reader is a key for another.
_BREAKS: Final = re.compile("[\x85\u2028\u2029]")


def read(content: bytes, file: str) -> Document:
    """Read a YAML file's bytes; `file` is its name in messages.

    Other faults than those below are in the document's `problems`, so that they are reported together with those that
    are found later.

    :raises RegistryError: there are no values: the file is not UTF-8, not YAML, empty, `null`, or has a character that
        only some readers take for a line break
    """
    text = _decode(content, file)
    if not text.isascii() and (found := _BREAKS.search(text)):
        message = "is a line break to some programs and none to others"
        raise RegistryError([_character_problem(text, found.start(), message, file)])
    composer = Composer(text, file)
    try:
        root = composer.compose()
    except yaml.MarkedYAMLError as error:
        composer.problems.append(syntax_problem(error, text, file))
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


def _character_problem(text: str, start: int, fault: str, file: str) -> Problem:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    message = f"the character U+{ord(text[start]):04X} {fault}: remove it"
    return Problem(file, line, column, "", message)
