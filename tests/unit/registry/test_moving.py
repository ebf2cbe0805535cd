from pathlib import Path

import pytest

from tenantry.registry import App, parse
from tenantry.registry.applied import AppliedApp
from tenantry.registry.moving import without_moved
from tenantry.registry.transition import TransitionError

FILE = Path("tenants.yaml")
REGISTRY = b"""\
version: 1
tenants:
  acme: {apps: {web: {environment: production, region: aws-eu-central-1, deletion: delete}}}
"""


@pytest.fixture
def web() -> App:
    return parse(REGISTRY).app("acme/web")


def test_apps_that_were_moved_out_of_a_stack_are_not_made_in_it_again(web: App) -> None:
    moved = {"acme/web": "acme--web"}
    assert without_moved([], [web], moved, FILE, stack="prod", everything=True) == []
    assert without_moved([], [web], {}, FILE, stack="prod", everything=False) == [web]
    with pytest.raises(
        TransitionError,
        match=r"was moved out of this stack \(to acme--web\).*fleet join --app acme/web --into prod",
    ):
        without_moved([], [web], moved, FILE, stack="prod", everything=False)


@pytest.mark.parametrize(
    ("stack", "to", "command"),
    [("prod", "acme--web", "split --from prod"), ("acme--web", "prod", "join --into prod")],
)
def test_a_move_that_was_cut_off_stops_the_run_with_what_ends_it(
    web: App, stack: str, to: str, command: str
) -> None:
    with pytest.raises(
        TransitionError, match=f"nothing was changed. Go on with tenantry fleet {command}"
    ):
        without_moved(
            [AppliedApp("acme/web", "delete", "", "aws-eu-central-1", 17, 1, frozenset())],
            [web],
            {"acme/web": to},
            FILE,
            stack=stack,
            everything=True,
        )
