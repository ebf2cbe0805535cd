"""Apps that move between states in a folder: what is where afterwards, and after a death at any write."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenantry.cli import app as command
from tenantry.fleet import moves
from tenantry.fleet.errors import FleetError
from tenantry.fleet.moves import join, plan_join, plan_split, split
from tenantry.fleet.selection import Selection
from tenantry.states.apps import apps_in, between, moved_out
from tenantry.states.errors import StatesError
from tenantry.states.store import InTree
from tenantry.states.tree import Folder
from tests.unit.fleet.support import Backend
from tests.unit.states.samples import SALT, state_of

APPS = ("acme/api", "acme/lab", "acme/web")
OWN = ["acme--api", "acme--lab", "acme--web"]


class KilledError(BaseException):
    """No handler of an error sees it, as none sees a SIGKILL."""


class Mortal(Folder):
    """A folder whose process dies before one of its changes; nothing is changed after that, no lock is given back."""

    left = 10**6

    def _live(self) -> None:
        if self.left <= 0:
            raise KilledError
        self.left -= 1

    def write(self, key: str, content: bytes) -> None:
        self._live()
        super().write(key, content)

    def delete(self, key: str) -> None:
        self._live()
        super().delete(key)


class Scene:
    """A project whose stack `prod` holds three apps."""

    def __init__(self, folder: Path) -> None:
        self.backend = Backend(folder)
        self.backend.registry({app.split("/")[1]: "" for app in APPS})
        self.project = self.backend.fleet().project
        self.tree = Mortal(folder / "state")
        self.states = InTree(self.tree, "t")
        self.put("prod", state_of("prod", *APPS))

    def put(self, stack: str, state: dict[str, Any]) -> None:
        file = self.backend.root / "stacks" / "t" / f"{stack}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        envelope = {"version": 4, "features": ["replaceWith"], "checkpoint": {"latest": state}}
        file.write_text(json.dumps(envelope))

    def get(self, stack: str) -> dict[str, Any] | None:
        kept = self.states.read(stack)
        return None if kept is None else dict(kept.deployment)

    def split(self, *only: str, stack: str = "prod") -> moves.Moves:
        planned = plan_split(self.project, self.states, stack, only=only)
        return split(self.project, self.states, planned)

    def join(self, *only: str, stack: str = "prod") -> moves.Moves:
        planned = plan_join(self.project, self.states, stack, only=only)
        return join(self.project, self.states, planned)

    def holders(self) -> dict[str, list[str]]:
        """The stacks that hold each app, without those that say that it is on its way out."""
        found: dict[str, list[str]] = {app: [] for app in APPS}
        for stack in sorted(self.states.stacks()):
            for app in apps_in(self.get(stack)):
                if app not in between(self.get(stack)):
                    found[app].append(stack)
        return found

    def locks(self) -> list[str]:
        return [key for key in self.tree.keys(".pulumi/locks") if key.endswith(".json")]

    def refused(self) -> str:
        return "\n".join(self.backend.look().refused)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def plain(state: dict[str, Any] | None) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in (state or {})["resources"])


def test_a_split_leaves_each_app_in_a_stack_of_its_own(scene: Scene) -> None:
    before = plain(scene.get("prod"))
    done = scene.split()
    assert [(each.app, each.target, each.resources) for each in done.moves] == [
        (app, app.replace("/", "--"), 5) for app in APPS
    ]
    assert sorted(scene.states.stacks()) == [*OWN, "prod"]
    assert scene.holders() == {app: [app.replace("/", "--")] for app in APPS}
    assert moved_out(scene.get("prod")) == {app: app.replace("/", "--") for app in APPS}
    assert scene.locks() == []
    assert scene.refused() == ""
    # Its form is what the reader needs.
    kept = scene.states.read("acme--web")
    assert kept
    assert (kept.version, kept.features, kept.key) == (4, ("replaceWith",), SALT)
    # And what was is kept, for its owner alone.
    file = Path(done.backup, "prod.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert plain(json.loads(file.read_text())["deployment"]) == before
    assert scene.split().moves == ()

    back = scene.join()
    assert [each.app for each in back.moves] == sorted(APPS)
    assert scene.states.stacks() == {"prod"}
    assert plain(scene.get("prod")) == before
    assert scene.join().moves == ()


def test_a_part_of_the_apps_moves_and_comes_back(scene: Scene) -> None:
    before = plain(scene.get("prod"))
    done = scene.split("acme/web")
    assert done.stays == ("acme/api", "acme/lab")
    assert scene.holders() == {
        "acme/web": ["acme--web"],
        "acme/lab": ["prod"],
        "acme/api": ["prod"],
    }
    scene.split("acme/lab")
    assert moved_out(scene.get("prod")) == {"acme/lab": "acme--lab", "acme/web": "acme--web"}
    # Those that are left in it have no stack of their own, and get none by a run.
    assert "stack prod holds acme/api" in scene.refused()
    scene.join("acme/web")
    assert moved_out(scene.get("prod")) == {"acme/lab": "acme--lab"}
    scene.join()
    assert plain(scene.get("prod")) == before


def test_apps_come_into_a_stack_that_is_not_there_yet(scene: Scene) -> None:
    scene.split()
    scene.states.remove("prod")
    done = scene.join(stack="all")
    assert len(done.moves) == 3
    assert scene.holders() == {app: ["all"] for app in APPS}
    assert done.stacks & {"all"}


def test_history_goes_with_a_stack_that_was_joined(scene: Scene) -> None:
    scene.split()
    scene.tree.write(".pulumi/history/t/acme--web/acme--web-1.history.json", b"{}")
    scene.join()
    assert scene.tree.keys(".pulumi/history/t/acme--web") == []


@pytest.mark.parametrize("operation", ["split", "join"])
def test_a_death_at_any_change_leaves_every_app_in_one_stack_that_runs_and_is_gone_on_with(
    tmp_path: Path, operation: str
) -> None:
    died = 0
    for count in range(100):
        scene = Scene(tmp_path / str(count))
        before = plain(scene.get("prod"))
        if operation == "join":
            scene.split()
        act = scene.split if operation == "split" else scene.join
        scene.tree.left = count
        try:
            act()
        except KilledError:
            died += 1
        else:
            break
        scene.tree.left = 10**6
        # Whatever is not said to be on its way is in one stack; no app is in two that would run, or in none at all.
        everywhere = {app for stack in scene.states.stacks() for app in apps_in(scene.get(stack))}
        assert everywhere == set(APPS)
        holders = scene.holders()
        assert all(len(each) <= 1 for each in holders.values()), holders
        told = scene.refused()
        if any(between(scene.get(stack)) for stack in scene.states.stacks()):
            assert f"tenantry fleet {operation}" in told
            with pytest.raises(FleetError, match="was cut off"):
                scene.backend.fleet().going(Selection(), confirmed="ns")
        if any(not each for each in holders.values()):
            assert told
        # The same command ends it, over the locks of the dead.
        dead(scene)
        ended = act()
        wanted = {
            app: ["prod"] if operation == "join" else [app.replace("/", "--")] for app in APPS
        }
        assert scene.holders() == wanted
        # A lock that is left is of a stack that is gone, or only its return was left. The next run takes it away.
        left = {key.split("/")[-2] for key in scene.locks()}
        assert not ended.moves or not left & scene.states.stacks()
        if operation == "join":
            assert plain(scene.get("prod")) == before
        else:
            assert scene.refused() == ""
    assert died > 8


def dead(scene: Scene) -> None:
    """Let the locks that were left be those of a process that is gone."""
    for key in scene.locks():
        facts = json.loads(scene.tree.read(key) or b"{}")
        scene.tree.write(key, json.dumps(facts | {"pid": 2**22 + 1}).encode())


def test_what_a_run_did_to_an_apps_own_stack_meanwhile_is_not_undone(scene: Scene) -> None:
    scene.tree.left = 8  # four locks, the mark, two stacks
    with pytest.raises(KilledError):
        scene.split()
    scene.tree.left = 10**6
    dead(scene)
    own = scene.get("acme--web")
    assert own
    scene.put("acme--web", {**own, "metadata": {"newer": True}})
    scene.split()
    assert (scene.get("acme--web") or {})["metadata"] == {"newer": True}


def test_neither_way_is_begun_while_the_other_is_half_done(scene: Scene) -> None:
    scene.tree.left = 6
    with pytest.raises(KilledError):
        scene.split()
    scene.tree.left = 10**6
    dead(scene)
    with pytest.raises(
        FleetError, match=r"moving .* to acme--.* was cut off: .*tenantry fleet split --from prod"
    ):
        scene.join()


def test_a_stack_that_somebody_works_on_is_left_alone(scene: Scene) -> None:
    before = plain(scene.get("prod"))
    with (
        scene.states.hold(["acme--lab"]),
        pytest.raises(StatesError, match=r"lock \[acme--lab\]: held by .*wait until it ends"),
    ):
        scene.split()
    assert plain(scene.get("prod")) == before
    assert scene.states.stacks() == {"prod"}
    assert scene.locks() == []


@pytest.mark.parametrize(
    ("stack", "state", "said"),
    [
        (
            "acme--web",
            state_of("acme--web", "acme/web"),
            r"stack acme--web holds resources already \(acme/web\)",
        ),
        (
            "prod",
            state_of("prod", "acme/web", namespace="other"),
            "applied under the namespace other",
        ),
        (
            "prod",
            state_of("prod", "acme/web") | {"pending_operations": [{}]},
            "has 1 operations that were cut off: PULUMI_STACK=prod tenantry up",
        ),
    ],
)
def test_what_is_in_the_way_of_a_split_is_said_before_anything_is_written(
    scene: Scene, stack: str, state: dict[str, Any], said: str
) -> None:
    scene.put(stack, state)
    scene.tree.left = 0
    with pytest.raises(FleetError, match=said):
        scene.split("acme/web")


def test_names_that_nobody_has_are_refused(scene: Scene) -> None:
    with pytest.raises(FleetError, match='no stack "prdo" \\(did you mean "prod"'):
        scene.split(stack="prdo")
    with pytest.raises(FleetError, match='stack prod holds no "acme/wbe" \\(did you mean'):
        scene.split("acme/wbe")
    with pytest.raises(FleetError, match='there is no stack of "acme/nope"'):
        scene.join("acme/nope")


def test_an_app_whose_own_stack_is_gone_is_the_big_stacks_again(scene: Scene) -> None:
    scene.split("acme/web")
    scene.states.remove("acme--web")
    (move,) = scene.join("acme/web").moves
    assert move.standing == "to forget"
    assert moved_out(scene.get("prod")) == {}


def test_stacks_with_keys_of_their_own_come_together_under_the_big_ones(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.split("acme/web", "acme/lab")
    own = scene.get("acme--web")
    assert own
    other = {"type": "passphrase", "state": {"salt": "v1:its-own"}}
    scene.put("acme--web", {**own, "secrets_providers": other})
    asked, encrypted = [], []

    def export_state(
        _environment: Any, stack: str, _folder: Any, *, secrets: bool
    ) -> dict[str, Any]:
        asked.append((stack, secrets))
        return {"deployment": scene.get(stack)}

    def recode(kept: Any, key: Any, *_: Any) -> Any:
        encrypted.append(key)
        return kept

    monkeypatch.setattr(moves, "export_state", export_state)
    monkeypatch.setattr(moves, "recode", recode)
    scene.join()
    assert (asked, encrypted) == ([("acme--web", True)], [SALT])
    assert (scene.get("prod") or {})["secrets_providers"] == SALT


def test_settings_that_the_fleet_lacks_are_told(scene: Scene) -> None:
    (scene.backend.folder / "Pulumi.prod.yaml").write_text(
        "encryptionsalt: v1:x\nconfig: {tenantry:neonOrgId: org-1, tenantry:apps: acme}\n"
    )
    planned = plan_split(scene.project, scene.states, "prod")
    assert "Pulumi.fleet.yaml has not: tenantry:neonOrgId" in planned.notes[0]
    assert "cp Pulumi.prod.yaml Pulumi.fleet.yaml" in planned.notes[0]
    assert "tenantry:apps" in planned.notes[1]


def test_the_command_shows_asks_and_moves(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scene.backend.folder)
    for name, value in scene.backend.environment.items():
        monkeypatch.setenv(name, value)
    run = CliRunner().invoke
    shown = run(command, ["fleet", "split", "--from", "prod", "--dry-run"])
    assert (shown.exit_code, shown.stdout.splitlines()[-1]) == (2, "split: 3 to move")
    assert "acme/web  prod  acme--web  5          to move" in shown.stdout
    assert scene.states.stacks() == {"prod"}
    asked = run(command, ["fleet", "split", "--from", "prod"])
    assert asked.exit_code == 1
    assert "--yes begins without" in asked.stderr
    moved = run(
        command, ["fleet", "split", "--from", "prod", "--app", "acme/web", "--yes", "--json"]
    )
    assert moved.exit_code == 0, moved.output
    document = json.loads(moved.stdout)
    assert (document["done"], document["stays"]) == (True, ["acme/api", "acme/lab"])
    assert Path(document["backup"], "prod.json").exists()
    again = run(command, ["fleet", "split", "--from", "prod", "--app", "acme/web", "--yes"])
    assert (again.exit_code, again.stdout) == (0, "split: nothing to move, 2 stay in prod\n")
    back = run(command, ["fleet", "join", "--into", "prod", "--yes"])
    assert (back.exit_code, back.stdout.splitlines()[0]) == (0, "join: 1 moved, 2 stay in prod")
    wrong = run(command, ["fleet", "join", "--into", "prod", "--app", "acme/nope"])
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        'there is no stack of "acme/nope" (did you mean "acme/web"?)\n',
    )
