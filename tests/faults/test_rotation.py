"""`credentials.generation` goes up while an app connects every 50 ms. No connection is refused, whoever dies meanwhile.

Each rotation is killed with SIGKILL at a place, and recovered with `pulumi cancel --yes; pulumi up`. A few places are
tried always; with the marker `faults` all those that a rotation turns out to have, statements and checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.workspace import Workspace
from tests.faults.rotation import Place, Rotation, Statement, Victim
from tests.localcloud_fixture import LocalCloud, local_cloud

VICTIMS: tuple[Victim, Victim] = ("engine", "all")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud of its own: orders of faults are for all of it."""
    with local_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def new_rotation(cloud: LocalCloud, tmp_path: Path) -> Iterator[Callable[[str], Rotation]]:
    """Make apps of which clients have the first URL."""
    made: list[Rotation] = []

    def make(namespace: str) -> Rotation:
        rotation = Rotation(
            Workspace(tmp_path / namespace, cloud.env(), served=False), cloud, namespace
        )
        made.append(rotation)
        for client in (rotation.current, rotation.old):
            client.start()
        return rotation

    yield make
    for rotation in made:
        rotation.close()


def assert_nobody_was_refused(rotation: Rotation, at_least: int) -> None:
    for client in (rotation.current, rotation.old):
        assert client.refusals == []
        assert client.connections >= at_least


def interrupt(rotation: Rotation, place: Place, victim: Victim) -> bool:
    """Interrupt a rotation, and say where if that goes wrong."""
    try:
        return rotation.interrupt(place, victim)
    except BaseException as error:
        error.add_note(f"generation {rotation.generation}, {victim} killed at {place}")
        raise


def test_a_client_is_never_refused(new_rotation: Callable[[str], Rotation]) -> None:
    rotation = new_rotation("sample")
    # The second login is made, and the state does not know; the first is about to have its new password.
    assert interrupt(rotation, Statement(rotation.host, "commit", 0, "after"), "all")
    assert interrupt(rotation, Statement(rotation.host, "commit", 0, "before"), "engine")
    assert_nobody_was_refused(rotation, at_least=100)


@pytest.mark.faults
def test_the_first_rotation_may_die_anywhere(new_rotation: Callable[[str], Rotation]) -> None:
    rotation = new_rotation("first")
    places = rotation.places()
    reached = 0
    for number, place in enumerate(places):
        rotation.rewind()
        reached += interrupt(rotation, place, VICTIMS[number % 2])
    # A checkpoint is waited for by looking at the file: one may pass unseen.
    assert reached >= sum(isinstance(place, Statement) for place in places)
    assert_nobody_was_refused(rotation, at_least=50 * len(places))


@pytest.mark.faults
def test_a_later_rotation_may_die_anywhere(new_rotation: Callable[[str], Rotation]) -> None:
    rotation = new_rotation("later")
    rotation.rotate()
    places = rotation.places()
    reached = 0
    for number, place in enumerate(places):
        reached += interrupt(rotation, place, VICTIMS[number % 2])
    assert reached >= sum(isinstance(place, Statement) for place in places)
    assert_nobody_was_refused(rotation, at_least=50 * len(places))
