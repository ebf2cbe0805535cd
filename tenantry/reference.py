"""The page of all commands, made from their own help: `python -m tenantry.reference > docs/commands.md`."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import typer.main

from tenantry.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD: Final = """\
# The commands

This page is made from the commands' own help (`make commands`).

- **Exit codes**: 0 done, or nothing to do. 1 an error, one line each on standard error. 2 changes are pending. 3 drift,
  or something that disagrees.
- **`--json`** prints the result for a program on standard output, and nothing else there. Lines for people go to
  standard error.
- **No terminal is needed.** A command that asks takes `--yes` instead, and says so where there is no terminal.
- **Secrets** are printed by `tenantry url`, `tenantry keys show` and `tenantry env` alone, of what is named.
- Commands run in the folder of `Pulumi.yaml`, on the selected stack (`PULUMI_STACK`). Where neither the shell nor
  `Pulumi.yaml` names a backend, and the folder has a local run or `tenantry:cloud: local`, they run on that.
"""
_WIDTH: Final = 120
_EXAMPLES: Final = ("tenantry ", 'eval "$(tenantry ')


def commands(group: Any = None, above: str = "tenantry") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 typer's own class, of which it has only heirs in public
    """List each command that does something, by its whole name (`tenantry keys list`)."""
    found: Any = typer.main.get_command(app) if group is None else group
    for name, each in found.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, f"{above} {name}")
        else:
            yield f"{above} {name}", each


def paragraphs(command: Any) -> list[str]:  # noqa: ANN401 as above
    """Return the paragraphs of a command's help."""
    return [
        " ".join(each.split())
        for each in inspect.cleandoc(command.help or "").split("\n\n")
        if each
    ]


def examples(command: Any) -> list[str]:  # noqa: ANN401 as above
    """Return the examples in a command's help, each a line of a shell."""
    return [each for each in paragraphs(command) if each.startswith(_EXAMPLES)]


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *(_command(name, each) for name, each in sorted(commands()))])


def _command(name: str, command: Any) -> str:  # noqa: ANN401 as above
    lines = [f"## {name}", ""]
    for each in paragraphs(command):
        if each.startswith(_EXAMPLES):
            lines += ["```console", f"$ {each}", "```", ""]
        elif each.startswith("JSON: "):
            lines += [*_wrapped(f"JSON: {_quoted(each.removeprefix('JSON: '))}"), ""]
        else:
            lines += [*_wrapped(each), ""]
    rows = [_row(each) for each in command.params if each.name != "help"]
    lines += ["| argument or option | |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _quoted(text: str) -> str:
    """Put what has the form of JSON into code."""
    parts, depth, begin = [], 0, 0
    for at, character in enumerate(text):
        if character in "{[":
            if not depth:
                parts.append(text[begin:at])
                begin = at
            depth += 1
        elif character in "}]":
            depth -= 1
            if not depth:
                parts.append(f"`{text[begin : at + 1]}`")
                begin = at + 1
    return "".join([*parts, text[begin:]])


def _row(parameter: Any) -> str:  # noqa: ANN401 as above
    if parameter.param_type_name == "argument":
        shown = parameter.metavar or parameter.name.upper()
        default = f" Default: `{parameter.default}`." if parameter.default else ""
    else:
        shown = ", ".join(parameter.opts)
        if not parameter.is_flag:
            shown += f" {parameter.metavar or parameter.name.upper()}"
        default = ""
    said = (parameter.help or "").replace("|", "\\|")
    return f"| `{shown.replace('|', chr(92) + '|')}` | {said}{default} |"


if __name__ == "__main__":
    sys.stdout.write(page())
