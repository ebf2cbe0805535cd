"""Names, lines for people, and paths."""

import re
from typing import Annotated, Final

from tenantry.errors import shown
from tenantry.registry.names import LABEL, LABEL_LENGTH
from tenantry.registry.scalars import Empty
from tenantry.registry.written.rules import Rule, RuleError, matching, text

LINE_LENGTH: Final = 200
PATH_STARTS: Final = ("./", "../", "/")


def label(value: object) -> str:
    """Check a name: a DNS label in lower case with single hyphens (see `names`)."""
    word = text(value)
    if LABEL.fullmatch(word):
        return word
    rule = (
        "a name is lower-case letters, digits and single hyphens inside, and begins with a letter"
    )
    if len(word) > LABEL_LENGTH:
        rule = f"a name has at most {LABEL_LENGTH} characters, this one has {len(word)}"
    nearest = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
    hint = f' (did you mean "{nearest}"?)' if LABEL.fullmatch(nearest) else ""
    raise RuleError(f"{shown(word)} is not a name: {rule}{hint}")


def tenant_label(value: object) -> str:
    """Check a tenant's name: `all` is how a selection says every app."""
    word = label(value)
    if word == "all":
        raise RuleError('"all" is reserved, it selects every app: write another name')
    return word


def app_id(value: object) -> str:
    """Check an app's id: `tenant/app`."""
    word = text(value)
    tenant, _, name = word.partition("/")
    if not (LABEL.fullmatch(tenant) and LABEL.fullmatch(name)):
        raise RuleError(f"{shown(word)} is not an app's id: write tenant/app, such as acme/web")
    return word


def one_or_more(value: object) -> object:
    """Make a list of one of a single value."""
    return value if isinstance(value, list | Empty) else [value]


def one_line(value: object) -> str:
    """Check a text for people: 1 to LINE_LENGTH printable characters, no blanks at its ends."""
    words = text(value)
    if not words or words != words.strip() or not words.isprintable() or len(words) > LINE_LENGTH:
        raise RuleError(
            f"{shown(words)} is not a line of text: write 1 to {LINE_LENGTH} printable characters "
            "without blanks at the ends"
        )
    return words


def folder(value: object) -> str:
    """Check a path: absolute, or relative and marked by `./` or `../`."""
    word = text(value)
    if not word.startswith(PATH_STARTS) or not word.isprintable():
        raise RuleError(f"{shown(word)} is not a path: start it with ./, ../ or /")
    return word


LABEL_PATTERN: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
Label = Annotated[str, matching(label, LABEL_PATTERN, maxLength=LABEL_LENGTH)]
TenantLabel = Annotated[
    str, matching(tenant_label, LABEL_PATTERN, maxLength=LABEL_LENGTH, **{"not": {"const": "all"}})
]
AppId = Annotated[str, matching(app_id, f"{LABEL_PATTERN[:-1]}/{LABEL_PATTERN[1:]}")]
Line = Annotated[str, Rule(one_line, {"type": "string", "minLength": 1, "maxLength": LINE_LENGTH})]
Folder = Annotated[str, matching(folder, r"^(\./|\.\./|/)")]
