"""The stack that commands are about, ready to be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.registry.permission import LEAVING, VARIABLE
from tenantry.running.engine import Engine, Target
from tenantry.running.stack import selected

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path


def open_current(
    folder: Path,
    environment: Mapping[str, str],
    *,
    stack: str | None = None,
    allowed: Collection[str] = (),
    leaving: Collection[str] = (),
) -> Target:
    """Make the current stack ready for runs with the program that `__main__.py` runs too.

    The permissions are for these runs only: what the shell has from an earlier one does not count.

    :param folder: the folder of `Pulumi.yaml`, which must be the current one: the program finds its registry from there
    :param environment: the variables to run `pulumi` with: backend, passphrase, stack
    :param stack: its name, where that is known already
    :param allowed: apps that may leave or be replaced beside others
    :param leaving: apps that are taken out, whatever the registry says
    :raises EngineError: there is no `pulumi`
    :raises StackError: no stack is selected
    """
    permitted = {**environment, VARIABLE: ",".join(allowed), LEAVING: ",".join(leaving)}
    return Target(
        Engine(folder, permitted),
        selected(environment) if stack is None else stack,
        program_of(permitted),
    )


def program_of(environment: Mapping[str, str]) -> Callable[[], None]:
    """Return the program of the current stack.

    :param environment: the variables of the run; the program reads its permissions and keys from them
    """

    def program() -> None:
        from components.program import run
        from components.settings import Settings

        run(Settings.read(environment))

    return program
