"""Options that several commands share."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from tenantry.commands.options import takes


@dataclass(frozen=True)
class Chosen:
    tenant: Annotated[list[str] | None, typer.Option("--tenant", help="Whose.")] = None
    every: Annotated[bool, typer.Option("--all")] = False


def command() -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @takes(Chosen)
    def look(
        chosen: Chosen,
        stack: Annotated[str, typer.Argument()],
        *,
        deep: Annotated[bool, typer.Option("--deep")] = False,
    ) -> None:
        """Look at a stack."""
        typer.echo(f"{chosen} {stack} {deep}")

    return app


def test_a_command_gets_the_shared_options_as_one_value_beside_its_own() -> None:
    said = CliRunner().invoke(
        command(), ["dev", "--tenant", "acme", "--tenant", "globex", "--deep"]
    )
    assert said.output == f"{Chosen(['acme', 'globex'])} dev True\n"
    assert CliRunner().invoke(command(), ["dev"]).output == f"{Chosen()} dev False\n"


def test_its_help_and_its_parameters_are_those_of_a_command_written_out() -> None:
    found = typer.main.get_command(command())
    assert found.help == "Look at a stack."
    names = [each.name for each in found.params]
    assert names[:4] == ["stack", "tenant", "every", "deep"]
