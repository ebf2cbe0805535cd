"""Who is told of what: `notify`. Secrets are not in the file: it names the variables that hold them."""

import re
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, model_validator

from tenantry.errors import shown
from tenantry.registry import notices
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import RuleError, literal, matching, text
from tenantry.registry.written.texts import Line

_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS: Final = r"[^@\s<>]+@[^@\s<>]+"


def variable(value: object) -> str:
    """Check the name of an environment variable. What is none may be a secret, so it is not shown."""
    word = value if isinstance(value, str) else ""
    if not re.fullmatch("[A-Z_][A-Z0-9_]*", word, re.ASCII):
        raise RuleError(
            "is not the name of an environment variable: write upper-case letters, digits and _, such as SLACK_URL. "
            "The secret itself does not belong into this file"
        )
    return word


def url(value: object) -> str:
    """Check where a notification is sent: https, or http on this machine; nothing secret in it."""
    word = text(value)
    try:
        parts = urlsplit(word)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not word.isprintable() or " " in word:
        raise RuleError(
            "is not a URL: write one such as https://platform.example/notifications"
        ) from None
    if parts.username is not None or parts.password is not None:
        # Not shown: a password may be in it.
        raise RuleError(
            "has a user or a password in it, which this file is no place for: remove it"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _HERE):
        raise RuleError(f"{shown(word)} is not encrypted: write an https URL")
    if parts.fragment:
        raise RuleError(f"{shown(word)} has a fragment, which is never sent: remove it")
    return word


def smtp(value: object) -> str:
    """Check a mail server: `host:port`."""
    word = text(value)
    host, _, port = word.rpartition(":")
    named = re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]", host, re.ASCII)
    if not named or not re.fullmatch("[0-9]{1,5}", port, re.ASCII) or not 0 < int(port) < 2**16:
        raise RuleError(
            f"{shown(word)} is not a mail server: write its host and port, such as smtp.example.com:587"
        )
    return word


def address(value: object) -> str:
    """Check a mail address, with or without a name before it."""
    word = text(value)
    if not word.isprintable() or not re.fullmatch(rf"{_ADDRESS}|[^<>]* <{_ADDRESS}>", word):
        raise RuleError(
            f"{shown(word)} is not a mail address: write one such as platform@acme.example"
        )
    return word


Variable = Annotated[str, matching(variable, "^[A-Z_][A-Z0-9_]*$")]
Url = Annotated[str, matching(url, "^https?://", format="uri")]
Smtp = Annotated[str, matching(smtp, "^.+:[0-9]{1,5}$")]
Address = Annotated[str, matching(address, "^.*[^@\\s<>]+@[^@\\s<>]+>?$")]
Occasion = Annotated[notices.Occasion, literal(notices.Occasion)]

_WAYS: Final = {
    "url": (("secret_from",), ()),
    "slack_from": ((), ()),
    "smtp": (("sender", "to"), ("user", "password_from")),
}
"""Each way of telling: what it needs beside, and what it may have."""
_WORDS: Final = {"sender": "from"}


class Notify(Written):
    """Somebody who is told: a URL, a Slack channel, or mail."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [_WORDS.get(each, each) for each in (way, *needed)]}
                for way, (needed, _) in _WAYS.items()
            ]
        }
    )

    url: Url | None = Field(
        None, description="A URL that gets a JSON document, signed as Standard Webhooks say."
    )
    secret_from: Variable | None = Field(
        None, description="The environment variable with the secret that signs (whsec_…)."
    )
    slack_from: Variable | None = Field(
        None, description="The environment variable with the URL of a Slack channel's webhook."
    )
    smtp: Smtp | None = Field(None, description="A mail server: host:port.")
    sender: Address | None = Field(None, alias="from", description="The sender's address.")
    to: list[Address] | None = Field(
        None,
        description="The receivers' addresses.",
        json_schema_extra={"uniqueItems": True, "minItems": 1},
    )
    user: Line | None = Field(None, description="Who logs in at the mail server.")
    password_from: Variable | None = Field(
        None, description="The environment variable with the user's password."
    )
    on: list[Occasion] | None = Field(
        None,
        description="What it is told of; by default everything.",
        json_schema_extra={
            "default": list(notices.OCCASIONS),
            "uniqueItems": True,
            "minItems": 1,
        },
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = {key for key in self.model_fields_set if getattr(self, key) is not None} - {"on"}
        ways = [way for way in _WAYS if way in given]
        if len(ways) != 1:
            raise RuleError('needs one of "url", "slack_from" and "smtp", and not several')
        needed, more = _WAYS[ways[0]]
        if lacking := [each for each in needed if each not in given]:
            raise RuleError(f'"{ways[0]}" needs {_listed(lacking)} beside it: write it')
        if foreign := sorted(given - {ways[0], *needed, *more}):
            raise RuleError(f'{_listed(foreign)} has no meaning beside "{ways[0]}": remove it')
        if (self.user is None) != (self.password_from is None):
            raise RuleError('"user" and "password_from" belong together: write both, or neither')
        for key, listed in (("to", self.to), ("on", self.on)):
            if listed is not None and not listed:
                raise RuleError(f'"{key}" is an empty list, so nobody is told: name one')
            if listed and len(set(listed)) != len(listed):
                raise RuleError(f'"{key}" names something twice: keep one')
        return self


def _listed(keys: list[str]) -> str:
    return " and ".join(f'"{_WORDS.get(each, each)}"' for each in keys)
