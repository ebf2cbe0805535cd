"""The command ``localcloud``.

Written with argparse: ``localcloud status`` answers in the time that a larger command-line library takes to load.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud import daemon
from localcloud.settings import DataFolderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localcloud.daemon import Facts

NOT_RUNNING = 3
"""Exit status of ``status`` where nothing runs, as in the LSB for init scripts."""

_DEFAULT_DATA = Path(".tenantry") / "localcloud"
_DATA_VARIABLE = "LOCALCLOUD_DATA"
_SECRET = {"neon_api_key", "catalog_url"}
_LAST_PORT = 65_535
_SLOWEST_PACE = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    data = Path(os.path.abspath(options.data or os.environ.get(_DATA_VARIABLE) or _DEFAULT_DATA))  # noqa: PTH100 (`resolve` would follow links, and the folder's name is what the user keeps)
    try:
        return _COMMANDS[options.command](data, options)
    except (daemon.DaemonError, DataFolderError) as error:
        print(f"localcloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _start(data: Path, options: argparse.Namespace) -> int:
    asked = {"port": options.port, "plan": options.plan, "pace": options.pace}
    if options.foreground:
        daemon.run(data, **asked, ready_fd=options.ready_fd)
        return 0
    facts = daemon.find(data)
    if facts is not None:
        if any(value is not None for value in asked.values()):
            print(
                "localcloud: runs already, so --port, --plan and --pace are ignored; stop it first to change them",
                file=sys.stderr,
            )
        _print(facts, options, "runs already")
        return 0
    _print(daemon.start(data, **asked), options, "started")
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


def _print(facts: Facts, options: argparse.Namespace, how: str) -> None:
    document = dataclasses.asdict(facts)
    if options.json:
        print(json.dumps(document))
        return
    print(f"local cloud {how}")
    for name, value in document.items():
        # Secrets are for programs: they are not put on a screen unasked.
        print(f"  {name:<13} {'(shown by --json)' if name in _SECRET else value}")


def _folder(text: str) -> str:
    if not text:
        # Most likely a variable that is not set: the default folder is not what was meant.
        raise argparse.ArgumentTypeError("must name a folder; leave it out for the default one")
    return text


def _port(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_LAST_PORT}")
    return value


def _pace(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _SLOWEST_PACE:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {_SLOWEST_PACE}")
    return value


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
        prog="localcloud", description="A local Neon API with real PostgreSQL behind it."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("start", parents=[common], help="start, or say that it runs")
    start.add_argument("--foreground", action="store_true", help="stay, and log to the terminal")
    start.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help="the API's port (default: a free one, kept between starts)",
    )
    start.add_argument(
        "--plan", choices=("free", "launch", "scale"), help="whose limits apply (default: scale)"
    )
    start.add_argument(
        "--pace",
        type=_pace,
        metavar="X",
        help="durations of operations: 1 as on Neon, 0 at once (default: 0.1)",
    )
    start.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    commands.add_parser("stop", parents=[common], help="stop it and all its servers")
    commands.add_parser(
        "status", parents=[common], help=f"say whether it runs (exit status {NOT_RUNNING}: no)"
    )
    commands.add_parser("reset", parents=[common], help="stop it and delete all its data")
    return parser


_COMMANDS = {"start": _start, "stop": _stop, "status": _status, "reset": _reset}
