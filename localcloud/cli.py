"""The command ``localcloud``.

Written with argparse: ``localcloud status`` answers in the time that a larger command-line library takes to load.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud import daemon
from localcloud.faults import command
from localcloud.issuer import command as issuer_command
from localcloud.settings import Choices, DataFolderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localcloud.facts import Facts

NOT_RUNNING = 3
"""Exit status of ``status`` where nothing runs, as in the LSB for init scripts."""

_DEFAULT_DATA = Path(".tenantry") / "localcloud"
_DATA_VARIABLE = "LOCALCLOUD_DATA"
_LAST_PORT = 65_535
_BOLT_PORT = 7687
_SLOWEST_PACE = 100
_LONGEST_SECONDS = 86_400
_HIGHEST_RATE = 1_000_000
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,150}}$){_LABEL}(\.{_LABEL})*")
_SECRETS = frozenset({"neon_api_key", "catalog_url", "aura_client_secret"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    data = Path(os.path.abspath(options.data or os.environ.get(_DATA_VARIABLE) or _DEFAULT_DATA))  # noqa: PTH100 (`resolve` would follow links, and the folder's name is what the user keeps)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # The data folder's name may have letters that the terminal has not.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _COMMANDS[options.command](data, options)
    except (
        daemon.DaemonError,
        DataFolderError,
        command.FaultError,
        issuer_command.TokenError,
    ) as error:
        print(f"localcloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _start(data: Path, options: argparse.Namespace) -> int:
    choices = Choices(
        **{field.name: getattr(options, field.name) for field in dataclasses.fields(Choices)}
    )
    if options.foreground:
        daemon.run(data, choices, ready_fd=options.ready_fd)
        return 0
    facts = daemon.find(data)
    if facts is not None:
        ignored = choices.arguments()[::2]
        if ignored:
            print(
                f"localcloud: runs already, so {', '.join(ignored)} changes nothing; stop it first",
                file=sys.stderr,
            )
        _print(facts, options, "runs already")
        return 0
    _print(daemon.start(data, choices), options, "started")
    return 0


def _stop(data: Path, options: argparse.Namespace) -> int:
    stopped = daemon.stop(data)
    if options.json:
        print(json.dumps({"data": str(data), "stopped": stopped}))
    else:
        print("stopped" if stopped else "was not running")
    return 0


def _status(data: Path, options: argparse.Namespace) -> int:
    facts = daemon.find(data)
    if facts is not None:
        _print(facts, options, "runs")
        return 0
    if options.json:
        print(json.dumps({"data": str(data), "pid": None}))
    else:
        print(f"not running (data {data})")
    return NOT_RUNNING


def _reset(data: Path, options: argparse.Namespace) -> int:
    deleted = daemon.reset(data)
    if options.json:
        print(json.dumps({"data": str(data), "deleted": deleted}))
    else:
        print(f"deleted {data}" if deleted else f"nothing to delete at {data}")
    return 0


def _fault(data: Path, options: argparse.Namespace) -> int:
    return _show(*command.place(_running(data), options), options)


def _faults(data: Path, options: argparse.Namespace) -> int:
    return _show(*command.look(_running(data), options), options)


def _token(data: Path, options: argparse.Namespace) -> int:
    made = issuer_command.make(_running(data), options)
    print(json.dumps(dataclasses.asdict(made)) if options.json else made.token)
    return 0


def _show(answer: object, lines: list[str], options: argparse.Namespace) -> int:
    print(json.dumps(answer) if options.json else "\n".join(lines))
    return 0


def _running(data: Path) -> Facts:
    facts = daemon.find(data)
    if facts is None:
        raise daemon.DaemonError(
            f"{data}: no local cloud runs on it; `localcloud start` starts one"
        )
    return facts


def _print(facts: Facts, options: argparse.Namespace, how: str) -> None:
    document = dataclasses.asdict(facts)
    if options.json:
        print(json.dumps(document))
        return
    print(f"local cloud {how}")
    for name, value in document.items():
        # Keys are for programs: they are not put on a screen unasked.
        shown = "(shown by --json)" if name in _SECRETS else _words(value)
        print(f"  {name:<18} {shown}")


def _words(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value) or "none"
    return "unknown" if value is None else str(value)


def _folder(text: str) -> str:
    if not text:
        # Most likely a variable that is not set: the default folder is not what was meant.
        raise argparse.ArgumentTypeError("must name a folder; leave it out for the default one")
    return text


def _domain(text: str) -> str:
    if text and not _DOMAIN.fullmatch(text):
        raise argparse.ArgumentTypeError("must be a domain, e.g. localhost")
    return text.lower()


def _aura_port(text: str) -> int:
    value = _whole(_LAST_PORT)(text)
    if value == _BOLT_PORT:
        # Clients take this port for Bolt's, and ask another for the Query API.
        raise argparse.ArgumentTypeError(f"must not be {_BOLT_PORT}, the port of Bolt")
    return value


def _number(most: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= most:
            raise argparse.ArgumentTypeError(f"must be a number from 0 to {most}")
        return value

    return read


def _whole(most: int, least: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")
        return value

    return read


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data",
        type=_folder,
        metavar="DIR",
        help=f"the data folder (default: ${_DATA_VARIABLE}, else {_DEFAULT_DATA})",
    )
    common.add_argument("--json", action="store_true", help="print JSON")
    parser = argparse.ArgumentParser(
        prog="localcloud",
        description="A local Neon API with real PostgreSQL behind it, and a local Aura API.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("start", parents=[common], help="start, or say that it runs")
    start.add_argument("--foreground", action="store_true", help="stay, and log to the terminal")
    start.add_argument(
        "--port",
        type=_whole(_LAST_PORT),
        metavar="N",
        help="the Neon API's port (default: a free one, kept between starts)",
    )
    start.add_argument(
        "--plan", choices=("free", "launch", "scale"), help="whose limits apply (default: scale)"
    )
    start.add_argument(
        "--pace",
        type=_number(_SLOWEST_PACE),
        metavar="X",
        help="durations of operations: 1 as on Neon, 0 at once (default: 0.1)",
    )
    start.add_argument(
        "--neon-rate-limit",
        type=_whole(_HIGHEST_RATE, 0),
        metavar="N",
        help="requests a minute before 429, and bursts on one route in proportion; 0: any number (default: 700, as Neon)",
    )
    start.add_argument(
        "--neon-retry-after",
        choices=("seconds", "date", "none"),
        help="how a 429 says when to come back (default: seconds)",
    )
    start.add_argument(
        "--domain",
        type=_domain,
        metavar="NAME",
        help="new endpoints get names below it, where those lead to this machine; '' for addresses (default)",
    )
    start.add_argument(
        "--issuer-port",
        type=_whole(_LAST_PORT),
        metavar="N",
        help="the port of the issuer of tokens (default: a free one, kept between starts)",
    )
    _add_aura_options(start)
    start.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    commands.add_parser("stop", parents=[common], help="stop it and all its servers")
    commands.add_parser(
        "status", parents=[common], help=f"say whether it runs (exit status {NOT_RUNNING}: no)"
    )
    commands.add_parser("reset", parents=[common], help="stop it and delete all its data")
    command.add_fault_options(
        commands.add_parser("fault", parents=[common], help="order that something goes wrong")
    )
    command.add_faults_options(
        commands.add_parser("faults", parents=[common], help="show the orders, or take them back")
    )
    issuer_command.add_options(
        commands.add_parser("token", parents=[common], help="print a token of the local issuer")
    )
    return parser


def _add_aura_options(start: argparse.ArgumentParser) -> None:
    group = start.add_argument_group("the Aura API")
    group.add_argument(
        "--aura-port",
        type=_aura_port,
        metavar="N",
        help="its port (default: a free one, kept between starts)",
    )
    for name, default, what in (
        ("create", "2", "an instance is being created"),
        ("change", "1", "a pause, a resize, a snapshot or a deletion takes"),
        ("lag", "0.5", "a new instance answers 404, and a resize does not show"),
    ):
        group.add_argument(
            f"--aura-{name}-seconds",
            type=_number(_LONGEST_SECONDS),
            metavar="S",
            help=f"how long {what} (default: {default})",
        )
    group.add_argument(
        "--aura-token-seconds",
        type=_whole(_LONGEST_SECONDS),
        metavar="S",
        help="how long a token lives (default: 3600)",
    )
    group.add_argument(
        "--aura-rate-limit",
        type=_whole(_HIGHEST_RATE),
        metavar="N",
        help="requests a minute before 429 (default: 10000)",
    )
    group.add_argument(
        "--aura-retry-after",
        choices=("seconds", "date", "none"),
        help="how a 429 says when to come back (default: seconds)",
    )


_COMMANDS = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "reset": _reset,
    "fault": _fault,
    "faults": _faults,
    "token": _token,
}
