"""What the `pulumi` command says is wrong, in our words: what, where, and the way out.

The texts are those of the engine that the project pins. `tests/engine/test_words.py` has the engine say each of them.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from tenantry.errors import did_you_mean
from tenantry.hiding import hidden
from tenantry.running.errors import BackendAwayError, StackError, UnreadableStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

BACKEND: Final = "PULUMI_BACKEND_URL"
PASSPHRASE: Final = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 a variable's name
PASSPHRASE_FILE: Final = f"{PASSPHRASE}_FILE"
_LOCKED: Final = re.compile(r"the stack is currently locked by \d+ lock")
_HOLDER: Final = re.compile(r": created by (?P<who>.+ \(pid \d+\)) at (?P<since>\S+)")
_UNREADABLE: Final = re.compile(r"(?:failed to load checkpoint|error: place \d+): (.+)")
_REQUEST: Final = re.compile(r'\b(?:Get|Head|Post|Put) "[^"]*": ')
_LISTED: Final = 10


def last_line(said: str, code: int) -> str:
    """Return the last line of what a command printed on standard error: there `pulumi` says what is wrong."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else f"exit code {code}"


def reason_of(said: str) -> str:
    """Find in what `pulumi` printed what is wrong: `error: …` and what follows it."""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("error: "):
            return "\n".join([line.removeprefix("error: "), *lines[number + 1 :]])
    return "\n".join(lines[-3:]) or "the engine ended without a word"


def is_locked(said: str) -> bool:
    """Tell whether `pulumi` was refused because another run holds the stack."""
    return _LOCKED.search(said) is not None


def without_login(said: str, environment: Mapping[str, str]) -> str:
    """Return what `pulumi` said without the password in the backend's URL, which it repeats."""
    password = urlsplit(environment.get(BACKEND, "")).password or ""
    return hidden(said, password, unquote(password))


def refusal_of(
    said: str, environment: Mapping[str, str], *, stack: str = "", folder: Path | None = None
) -> StackError | None:
    """Say in our words what is wrong; None where there are none for it.

    :param said: what `pulumi` printed on standard error before it failed
    :param environment: the variables that it ran with
    :param stack: the stack that it was about; by default that of the environment
    :param folder: the folder of `Pulumi.yaml`; by default the current one
    """
    asked = _Asked(environment, stack or environment.get("PULUMI_STACK", ""), folder or Path())
    if match := _UNREADABLE.search(said):
        reason = (
            f"{asked.its}: its state cannot be read ({match[1]}): it was cut off, or it is being written at this moment: "
            "tenantry doctor says which, and which copy of it is whole"
        )
        return UnreadableStateError(reason, environment, asked.folder)
    for pattern, say in _SAYINGS:
        if match := pattern.search(said):
            kind = BackendAwayError if say is _not_reached else StackError
            return kind(say(asked, match))
    return None


class _Asked:
    """What `pulumi` was asked about, and with which variables."""

    def __init__(self, environment: Mapping[str, str], stack: str, folder: Path) -> None:
        self.environment = environment
        self.stack = stack.rsplit("/", 1)[-1]
        self.folder = folder

    @property
    def its(self) -> str:
        return f"stack {self.stack}" if self.stack else "the stack"

    @property
    def backend(self) -> str:
        """The backend's URL, without a login and options; how it is called where no variable names it."""
        url = self.environment.get(BACKEND, "")
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        return f"the backend {place}" if url else "the backend that pulumi is logged in to"

    def stacks(self) -> Collection[str] | None:
        """List the project's stacks; None where that fails."""
        from tenantry.running.stack import list_stacks

        try:
            return list_stacks(self.environment, self.folder)
        except StackError:
            return None


def _no_stack(asked: _Asked, match: re.Match[str]) -> str:
    return not_there(match[1].rsplit("/", 1)[-1], asked.stacks())


def not_there(name: str, there: Collection[str] | None) -> str:
    """Say that there is no such stack, and how it comes to be.

    :param there: the project's stacks; None where nobody could be asked
    """
    makes = f"PULUMI_STACK={shlex.quote(name)} tenantry up --create makes it"
    if there is None:
        return f"stack {name} is not there: {makes}"
    near = did_you_mean(name, sorted(there))
    return f"stack {name} is not there{near}: {_listed(there)}: {makes}"


def _none_selected(asked: _Asked, _match: re.Match[str]) -> str:
    if asked.stack:
        # The engine says the same where the stack that PULUMI_STACK names is not there.
        return not_there(asked.stack, asked.stacks())
    there = asked.stacks()
    if there:
        return f"no stack is selected: set PULUMI_STACK to one of them: {_listed(there)}"
    return "no stack is selected: PULUMI_STACK=dev tenantry up --create makes one"


def _listed(stacks: Collection[str]) -> str:
    if not stacks:
        return "the project has none yet"
    more = len(stacks) - _LISTED
    names = ", ".join(sorted(stacks)[:_LISTED])
    return f"the project has {names}" + (f" and {more} more" if more > 0 else "")


def _no_passphrase(asked: _Asked, _match: re.Match[str]) -> str:
    return (
        f"{asked.its}: the passphrase of its secrets is not set: set {PASSPHRASE}, or {PASSPHRASE_FILE} to the path of a "
        "file that has it"
    )


def _no_passphrase_file(asked: _Asked, match: re.Match[str]) -> str:
    file = asked.environment.get(PASSPHRASE_FILE, "")
    return f"{asked.its}: {PASSPHRASE_FILE}: {file} cannot be read: {match[1].rpartition(': ')[2]}"


def _wrong_passphrase(asked: _Asked, _match: re.Match[str]) -> str:
    given = (
        PASSPHRASE
        if PASSPHRASE in asked.environment
        else f"{asked.environment.get(PASSPHRASE_FILE, '')} ({PASSPHRASE_FILE})"
    )
    return (
        f"{asked.its}: {given} is not the passphrase of its secrets in {asked.backend}: give the one that the stack was "
        "made with"
    )


def _not_reached(asked: _Asked, match: re.Match[str]) -> str:
    reason = _REQUEST.split(match[1])[-1]
    return f"{asked.backend} cannot be reached: {reason}: is {BACKEND} right, and is it up?"


def _no_login(asked: _Asked, _match: re.Match[str]) -> str:
    if asked.environment.get(BACKEND):
        return f"{asked.backend} takes no login: set PULUMI_ACCESS_TOKEN, or put {BACKEND} right"
    return f"no backend is named: set {BACKEND}, such as file:///var/states, or PULUMI_ACCESS_TOKEN for Pulumi Cloud"


def _held(asked: _Asked, match: re.Match[str]) -> str:
    holders = [f"{each['who']} since {each['since']}" for each in _HOLDER.finditer(match.string)]
    return (
        f"lock [{asked.stack}] {asked.stack}: held by {', '.join(holders) or 'another run'}: wait until that run ends, as "
        "tenantry up --wait 10m does; tenantry doctor says whether it lives"
    )


_SAYINGS: Final[tuple[tuple[re.Pattern[str], Callable[[_Asked, re.Match[str]], str]], ...]] = (
    (re.compile(r"no stack named '([^']+)' found"), _no_stack),
    (re.compile(r"no stack selected; please use"), _none_selected),
    (re.compile(rf"passphrase must be set with {PASSPHRASE}"), _no_passphrase),
    (re.compile(rf"unable to read {PASSPHRASE_FILE}: (.+)"), _no_passphrase_file),
    (re.compile(r"\bincorrect passphrase\b"), _wrong_passphrase),
    (re.compile(r'unable to open state (?:directory|database) "[^"]*": (.+)'), _not_reached),
    (re.compile(r'read "\.pulumi/meta\.yaml": (.+)'), _not_reached),
    (re.compile(r"performing HTTP request: (.+)"), _not_reached),
    (re.compile(r"PULUMI_ACCESS_TOKEN must be set for login"), _no_login),
    (_LOCKED, _held),
)
