import json
import stat
import sys
from pathlib import Path

import pytest

from tenantry.fleet.errors import FleetError
from tenantry.running.engine import Engine, Ran

COMMAND = """#!{python}
import json, os, sys
with open(os.environ["TOLD"], "a") as told:
    told.write(json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "share": os.environ.get("NEON_API_SHARE")}}) + "\\n")
{body}
"""


def engine(tmp_path: Path, body: str, *, settings: str | None = None) -> Engine:
    """An engine whose `pulumi` is a script."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: t\nruntime: python\n")
    command = tmp_path / "pulumi"
    command.write_text(COMMAND.format(python=sys.executable, body=body))
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    file = folder / "Pulumi.fleet.yaml"
    if settings is not None:
        file.write_text(settings)
    environment = {"PATH": str(tmp_path), "TOLD": str(tmp_path / "told"), "PULUMI_STACK": "dev"}
    return Engine(folder, environment, settings=file, parallel=7)


def told(tmp_path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]


def run(made: Engine, *, create: bool = False) -> Ran:
    return made.run("up", "acme--web", lambda: None, message="why", create=create)


def test_one_process_for_an_update_with_all_that_it_needs(tmp_path: Path) -> None:
    ran = run(engine(tmp_path, "pass"))
    assert ran.code == 0
    (call,) = told(tmp_path)
    arguments = call["arguments"]
    assert isinstance(arguments, list)
    assert arguments[:4] == ["--non-interactive", "up", "--yes", "--skip-preview"]
    options = dict(zip(arguments[4::2], arguments[5::2], strict=False))
    assert options["--stack"] == "acme--web"
    assert options["--event-log"] == f"tcp://{options['--client']}"
    assert arguments[-4:] == ["--parallel", "7", "--message", "why"]
    assert call["folder"] == str(tmp_path / "project")


def test_a_new_stack_is_made_where_nothing_is_left_of_it(tmp_path: Path) -> None:
    settings = "secretsprovider: awskms://alias/t\nconfig: {}\n"
    run(engine(tmp_path, "pass", settings=settings), create=True)
    init, up = told(tmp_path)
    arguments = init["arguments"]
    assert isinstance(arguments, list)
    assert arguments[1:4] == ["stack", "init", "acme--web"]
    assert arguments[-2:] == ["--secrets-provider", "awskms://alias/t"]
    assert init["folder"] != up["folder"]
    assert not Path(str(init["folder"])).exists()
    assert sorted(path.name for path in (tmp_path / "project").iterdir()) == [
        "Pulumi.fleet.yaml",
        "Pulumi.yaml",
    ]


def test_a_stack_that_somebody_made_meanwhile_is_taken(tmp_path: Path) -> None:
    body = "if 'init' in sys.argv: sys.exit(\"error: stack 'acme--web' already exists\")"
    assert run(engine(tmp_path, body), create=True).code == 0
    assert len(told(tmp_path)) == 2


def test_a_stack_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    ran = run(engine(tmp_path, "sys.exit('error: passphrase must be set')"), create=True)
    assert (ran.code, ran.errors) == (1, ["passphrase must be set"])
    assert len(told(tmp_path)) == 1


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        ("warning: old\nerror: no stack named 'x' found", ["no stack named 'x' found"]),
        ("error: the stack is locked\n  by ann", ["the stack is locked\n  by ann"]),
        ("panic: broken", ["panic: broken"]),
        ("", ["the engine ended without a word"]),
    ],
)
def test_what_the_command_says_before_it_has_events_is_the_reason(
    tmp_path: Path, said: str, errors: list[str]
) -> None:
    ran = run(engine(tmp_path, f"sys.stderr.write({said!r}); sys.exit(255)"))
    assert (ran.code, ran.errors) == (255, errors)


def test_without_a_command_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="pulumi is not on PATH"):
        Engine(tmp_path, {"PATH": str(tmp_path)})
