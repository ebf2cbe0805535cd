"""`tenantry upgrade`: another version of Tenantry in a repository of one's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tenantry import __version__
from tenantry.commands.options import AsJson
from tenantry.presenting.notes import note
from tenantry.presenting.plans import print_plan, progress
from tenantry.presenting.printing import one_line_errors, print_json

if TYPE_CHECKING:
    from tenantry.repository.pinning import Pin


def upgrade(
    wheel: Annotated[
        Path | None,
        typer.Argument(
            metavar="[WHEEL]",
            help="The wheel of the other version. Default: the one that this command was installed from.",
        ),
    ] = None,
    *,
    check: Annotated[
        bool,
        typer.Option("--check", help="Show what it would change in the stack, and pin nothing."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pin another version in requirements.txt, or show with --check what it would change before that.

    tenantry upgrade --check

    The check prints the changelog between the two versions, and the plan that the other one makes of the current stack.
    It installs the other version in a folder of its own, where that is not the one that runs.

    Exit code: 0 pinned, or nothing would change; 2 with --check, changes pending; 1 refused or an error.

    JSON: {"from", "to", "changelog", "plan"} with --check, plan as in plan.schema.json; else {"from", "to", "left"}.
    """
    from tenantry.repository.pinning import has_local_cloud, pin_running, pin_wheel, pinned_version

    folder = Path.cwd()
    with one_line_errors():
        before = pinned_version(folder)
        local_cloud = has_local_cloud(folder)
        if check and (wheel is None or _is_this(wheel)):
            _check_this(before, as_json=as_json)
        pin = (
            pin_wheel(wheel, local_cloud=local_cloud)
            if wheel is not None
            else pin_running(None, local_cloud=local_cloud)
        )
        if check:
            _check_other(pin, as_json=as_json)
        _pin(folder, before, pin, as_json=as_json)


def _is_this(wheel: Path) -> bool:
    """Tell whether a wheel is of the version that runs."""
    from tenantry.repository.errors import RepositoryError
    from tenantry.repository.pinning import pin_running

    try:
        pin_running(wheel, local_cloud=False)
    except RepositoryError:
        return False
    return True


def _check_this(before: str, *, as_json: bool) -> NoReturn:
    """Plan with the version that runs."""
    from tenantry.planning.current import plan_current
    from tenantry.repository.changelog import between
    from tenantry.repository.shipped import shipped

    said = between(shipped("CHANGELOG.md").read_text("utf-8"), before, __version__)
    if not as_json:
        print(f"{before} → {__version__}\n")
        if said:
            print(f"{said}\n")
    with progress("Planning") as told:
        made = plan_current(Path.cwd(), progress=told)
    if as_json:
        plan = made.model_dump(mode="json")
        print_json({"from": before, "to": __version__, "changelog": said, "plan": plan})
    else:
        print_plan(made)
    raise typer.Exit(made.exit_code)


def _check_other(pin: Pin, *, as_json: bool) -> NoReturn:
    """Have another version do the same, out of an environment of its own."""
    from tenantry.repository.trying import environment_of

    with environment_of(pin, note) as commands:
        path = os.pathsep.join([str(commands), os.environ.get("PATH", "")])
        done = subprocess.run(  # noqa: S603 our own command
            [commands / "tenantry", "upgrade", "--check", *(["--json"] if as_json else [])],
            env={**os.environ, "PATH": path},
            check=False,
        )
    raise typer.Exit(done.returncode)


def _pin(folder: Path, before: str, pin: Pin, *, as_json: bool) -> None:
    from tenantry.repository.upgrading import pin as pin_in

    left = pin_in(folder, pin)
    if as_json:
        print_json({"from": before, "to": pin.version, "left": left})
        return
    print(f"requirements.txt: {before} → {pin.version}")
    for name in left:
        note(f"{name}: was changed by hand, and stays as it is: compare it with the new one")
    print("Next: pip install --require-hashes -r requirements.txt, then tenantry plan")
