"""`python -m tenantry.engine`: the engine's commands.

ensure [--bin DIR] [--json]   make the engine available in a bin folder, by default that of this Python
prune [--bin DIR]             remove from the cache all that this folder does not link to: for an image
sdk                           generate the Python SDK of the Neon package again
test                          test the Go code of the plugins
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tenantry.engine.ensuring import Engine, ensure, prune
from tenantry.engine.errors import EngineError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status; progress goes to standard error."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "ensure":
            engine = ensure(options.bin, report=_report)
            _print(engine, as_json=options.json)
        elif options.command == "prune":
            prune(options.bin)
        elif options.command == "sdk":
            from tenantry.engine.sdk import FOLDER, generate

            generate(FOLDER, report=_report)
        else:
            return _test()
    except EngineError as error:
        _report(f"engine: {error}")
        return 1
    except KeyboardInterrupt:
        _report("engine: interrupted: what is done is kept; run it again to go on")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tenantry.engine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    ensuring = commands.add_parser("ensure", help="make the engine available in a bin folder")
    pruning = commands.add_parser("prune", help="remove from the cache what is not linked to")
    for each in (ensuring, pruning):
        each.add_argument(
            "--bin", type=Path, default=Path(sys.executable).parent, help="the folder for the links"
        )
    ensuring.add_argument(
        "--json", action="store_true", help="print where each executable is, as one JSON object"
    )
    commands.add_parser("sdk", help="generate the Python SDK of the Neon package again")
    commands.add_parser("test", help="test the Go code of the plugins")
    return parser


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _print(engine: Engine, *, as_json: bool) -> None:
    if as_json:
        content = {
            name: {"path": str(each.link), "target": str(each.target), "origin": each.origin.value}
            for name, each in engine.executables.items()
        }
        sys.stdout.write(json.dumps(content, indent=1) + "\n")


def _test() -> int:
    """Check and test the Go modules with the Go that builds them."""
    from tenantry.engine.building import TOOLCHAIN, go_environment
    from tenantry.engine.cache import cache_root
    from tenantry.engine.golang import find_go, minimum

    go = find_go(minimum(TOOLCHAIN / "go.mod"), cache_root() / "engine", _report)
    for command in (["vet", "./..."], ["test", "./..."]):
        done = subprocess.run(  # noqa: S603 (the Go command)
            [go, *command[:1], "-trimpath", "-mod=readonly", *command[1:]],
            cwd=TOOLCHAIN,
            env=go_environment(),
            check=False,
        )
        if done.returncode != 0:
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
