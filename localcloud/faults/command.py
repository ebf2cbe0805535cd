"""The commands ``localcloud fault`` and ``localcloud faults``: the fault API by hand."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from localcloud.facts import Facts

_PREFIX = "/_localcloud/faults"
_SECONDS = 30


class FaultError(Exception):
    """The local cloud does not do what was asked; the message is one line."""


def add_fault_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``localcloud fault``."""
    parser.add_argument(
        "match",
        metavar="MATCH",
        help='"POST /projects", "GET /projects/*/operations/**"; "* alter role*", "ENDPOINT connect" for PostgreSQL',
    )
    parser.add_argument(
        "--api",
        choices=("neon", "aura", "postgres"),
        help="default: neon for a path, postgres for all else",
    )
    which = parser.add_argument_group("which requests")
    which.add_argument("--skip", type=int, metavar="N", help="leave the first N alone")
    which.add_argument("--count", type=_count, metavar="N|all", help="hit so many (default: 1)")
    which.add_argument("--probability", type=float, metavar="P", help="hit each with this chance")
    which.add_argument("--seed", type=int, metavar="N", help="makes chance repeatable")
    group = parser.add_argument_group("the fault")
    fault = group.add_mutually_exclusive_group(required=True)
    moment = {"nargs": "?", "const": "before", "choices": ("before", "after")}
    fault.add_argument("--status", type=int, metavar="CODE", help="answer with this status")
    fault.add_argument("--delay", type=float, metavar="S", help="do it later")
    fault.add_argument("--drop", **moment, help="cut the connection before or after the work")  # type: ignore[arg-type]
    fault.add_argument("--hold", **moment, help="wait until the order is taken back")  # type: ignore[arg-type]
    fault.add_argument("--truncate", type=int, metavar="BYTES", help="cut the answer short")
    fault.add_argument("--drip", type=float, metavar="S", help="draw the answer out")
    fault.add_argument("--content-type", metavar="TYPE", help="mislabel the answer")
    fault.add_argument(
        "--operation",
        choices=("failed", "never"),
        help="how the operations end that the request begins (Neon)",
    )
    for name, what in (
        ("no-wake", "the compute does not start"),
        ("refuse", "the server refuses the session"),
        ("too-many-connections", "the server has no connection left"),
        ("die", "the server is killed at the statement"),
    ):
        fault.add_argument(f"--{name}", action="store_true", help=f"{what} (PostgreSQL)")
    more = parser.add_argument_group("more about it")
    more.add_argument("--when", choices=("before", "after"), help="of --status and --delay")
    more.add_argument("--then", choices=("go", "drop"), help="of --hold: what follows its end")
    more.add_argument("--body", type=_json, metavar="JSON", help="of --status")
    more.add_argument(
        "--header", type=_header, action="append", metavar="NAME:VALUE", help="of --status"
    )
    more.add_argument("--action", metavar="NAME", help="of --operation: only these")
    more.add_argument("--reason", metavar="TEXT", help="of --operation failed")


def add_faults_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``localcloud faults``."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--clear",
        nargs="?",
        const="all",
        metavar="ID",
        help="take back an order, or all, and release what they hold",
    )
    action.add_argument("--record", action="store_true", help="show what was injected")
    action.add_argument(
        "--replay", type=Path, metavar="FILE", help="order again what `--record --json` printed"
    )


def order(options: argparse.Namespace) -> dict[str, Any]:
    """Return the order that the options describe, as the fault API takes it; the API says what is wrong with it."""
    asked = {
        "match": options.match,
        "api": options.api or _api_of(options.match),
        "fault": _fault(options),
    }
    for name in ("skip", "probability", "seed"):
        if getattr(options, name) is not None:
            asked[name] = getattr(options, name)
    if options.count is not None:
        asked["count"] = None if options.count == "all" else options.count
    return asked


def place(facts: Facts, options: argparse.Namespace) -> tuple[Any, list[str]]:
    """Place an order; return the API's answer, and lines that say it. Raises FaultError."""
    placed = _ask(facts, "POST", "", order(options))
    return placed, [_line(placed)]


def look(facts: Facts, options: argparse.Namespace) -> tuple[Any, list[str]]:
    """Show, take back or replay; return the API's answer, and lines that say it. Raises FaultError."""
    if options.clear is not None:
        path = "" if options.clear == "all" else f"/{options.clear}"
        answer = _ask(facts, "DELETE", path)
        return answer, [f"{answer['withdrawn']} taken back"]
    if options.record:
        answer = _ask(facts, "GET", "/injected")
        return answer, [_entry(each) for each in answer["injected"]] or ["nothing was injected"]
    if options.replay is not None:
        answer = _ask(facts, "POST", "/replay", _record(options.replay))
    else:
        answer = _ask(facts, "GET", "")
    return answer, [_line(each) for each in answer["faults"]] or ["no faults are ordered"]


def _api_of(match: str) -> str:
    words = match.split()
    return "neon" if len(words) > 1 and words[1].startswith("/") else "postgres"


_READINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    # The field of the option's own value, and the other options that belong to it.
    "status": ("status", ("body", "header", "when")),
    "delay": ("seconds", ("when",)),
    "drop": ("when", ()),
    "hold": ("when", ("then",)),
    "truncate": ("bytes", ()),
    "drip": ("seconds", ()),
    "content_type": ("value", ()),
    "operation": ("outcome", ("action", "reason")),
    **dict.fromkeys(("no_wake", "refuse", "too_many_connections", "die"), ("", ())),
}
_MORE = frozenset(name for _, names in _READINGS.values() for name in names)


def _fault(options: argparse.Namespace) -> dict[str, Any]:
    # What was not given is None, or False where it has no value. 0 was given.
    kind = next(
        name
        for name in _READINGS
        if (value := getattr(options, name)) is not None and value is not False
    )
    field, more = _READINGS[kind]
    given = {name: value for name in sorted(_MORE) if (value := getattr(options, name)) is not None}
    for name in given.keys() - set(more):
        raise FaultError(f"--{name} does not belong to --{kind.replace('_', '-')}; leave it out")
    if "header" in given:
        given["headers"] = dict(given.pop("header"))
    return {"kind": kind} | ({field: getattr(options, kind)} if field else {}) | given


def _ask(facts: Facts, method: str, path: str, document: object = None) -> Any:  # noqa: ANN401 (JSON)
    import http.client

    connection = http.client.HTTPConnection(urlsplit(facts.neon_api_url).netloc, timeout=_SECONDS)
    try:
        connection.request(
            method,
            _PREFIX + path,
            None if document is None else json.dumps(document),
            {"Authorization": f"Bearer {facts.neon_api_key}"},
        )
        answer = connection.getresponse()
        content = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FaultError(
            f"the local cloud does not answer ({error}); is it of an older version? `localcloud stop` and start it again"
        ) from error
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise FaultError(content["message"])
    return content


def _record(file: Path) -> Any:  # noqa: ANN401 (JSON; the API says what is wrong with it)
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no JSON"
        raise FaultError(
            f"{file}: {reason}; give what `localcloud faults --record --json` printed"
        ) from error


def _line(standing: dict[str, Any]) -> str:
    left = "any number" if standing["left"] is None else standing["left"]
    held = f", {standing['held']} held" if standing["held"] else ""
    return (
        f"{standing['id']:>3}  {standing['api']:<8}  {standing['match']:<40}  {_words(standing['fault']):<28}  "
        f"seen {standing['seen']}, hit {standing['hits']}, left {left}{held}"
    )


def _entry(entry: dict[str, Any]) -> str:
    what = (
        f"{entry['method']} {entry['path']}"
        if "path" in entry
        else f"{entry['host']} {entry['statement']}"
    )
    return f"{entry['number']:>3}  {entry['at']}  order {entry['order']}  {what}  {_words(entry['fault'])}"


def _words(fault: dict[str, Any]) -> str:
    unsaid = {"kind", "body", "headers"} | (
        {"reason"} if fault.get("outcome") == "never" else set()
    )
    shown = [str(value) for name, value in fault.items() if name not in unsaid]
    return " ".join([fault["kind"], *shown])


def _count(text: str) -> int | str:
    if text == "all":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a whole number, or all") from None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be JSON ({error})") from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("must be NAME:VALUE")
    return name.strip(), value.strip()
