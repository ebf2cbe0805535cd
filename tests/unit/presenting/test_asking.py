"""What a person is asked, and what is said after a no."""

from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner, Result

from tenantry.presenting import asking

RUN = CliRunner()


def asked(question: Callable[[], None], answer: str) -> Result:
    """Ask in a command of its own, with this typed at its terminal."""
    command = typer.Typer()
    command.command()(question)
    return RUN.invoke(command, input=answer)


def test_a_yes_goes_on_and_a_no_says_what_did_not_happen() -> None:
    yes = asked(lambda: asking.agree("Apply this?"), "y\n")
    assert (yes.exit_code, "Apply this?" in yes.stderr) == (0, True)
    no = asked(lambda: asking.agree("Copy?", otherwise="nothing was copied"), "n\n")
    assert (no.exit_code, no.stderr.endswith("nothing was copied\n")) == (1, True)


def test_a_run_begins_only_where_somebody_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin() -> None:
        asking.agree_to_begin("3 to apply", "Begin")

    alone = asked(begin, "y\n")
    assert alone.exit_code == 1
    assert alone.stderr == "3 to apply: nobody is there to be asked: --yes begins without\n"
    monkeypatch.setattr(asking, "somebody_is_there", lambda: True)
    assert asked(begin, "y\n").exit_code == 0
    assert asked(begin, "n\n").stderr.endswith("nothing was changed\n")


@pytest.mark.parametrize(("typed", "code"), [("a/b c/d", 0), (" a/b c/d ", 0), ("a/b", 1)])
def test_names_must_be_typed_as_they_are(typed: str, code: int) -> None:
    assert asked(lambda: asking.agree_by_name(["a/b", "c/d"]), f"{typed}\n").exit_code == code
