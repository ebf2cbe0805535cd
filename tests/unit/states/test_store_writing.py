import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from tenantry.fleet.moves import join, plan_join, plan_split, split
from tenantry.states.errors import StatesError
from tenantry.states.store import InTree, Kept, Store, open_store, recode
from tenantry.states.tree import Folder
from tests.unit.fleet.support import Backend
from tests.unit.states.samples import SALT, SECRET, state_of

# Keeps stacks as files beside it, or in the folder that PULUMI_BACKEND_URL names, and encrypts what comes in clear.
PULUMI = """\
#!{python} -IS
import json, os, pathlib, sys
url = os.environ["PULUMI_BACKEND_URL"]
place = pathlib.Path(url.removeprefix("file://")) if url.startswith("file://") else pathlib.Path("{folder}")
said = sys.argv[1:]
with open("{folder}/log", "a") as log:
    log.write(" ".join(said) + "\\n")
def file(name):
    return place / (name + ".stack")
if said[:2] == ["stack", "ls"]:
    print(json.dumps([{{"name": each.stem}} for each in place.glob("*.stack")]))
elif said[:2] == ["stack", "export"]:
    print(file(said[3]).read_text())
elif said[:2] == ["stack", "import"]:
    state = json.load(sys.stdin)
    salt = state["deployment"]["secrets_providers"]["state"]["salt"]
    text = json.dumps(state).replace('"plaintext": "', '"ciphertext": "' + salt + " over ")
    file(said[3]).write_text(text)
elif said[:2] == ["stack", "init"]:
    assert not file(said[2]).exists() and pathlib.Path("Pulumi.yaml").exists()
    file(said[2]).write_text(json.dumps({{"version": 3, "deployment": {{}}}}))
elif said[:2] == ["stack", "rm"]:
    file(said[2]).unlink()
else:
    sys.exit(9)
"""


class Elsewhere:
    """A project whose states are where only `pulumi` reaches them."""

    def __init__(self, folder: Path) -> None:
        self.backend = Backend(folder)
        self.backend.registry({"web": "", "lab": ""})
        command = folder / "pulumi"
        command.write_text(PULUMI.format(python=sys.executable, folder=folder))
        command.chmod(0o755)
        self.folder = folder
        self.environment = {"PATH": f"{folder}:/usr/bin:/bin", "PULUMI_BACKEND_URL": "s3://states"}
        self.backend.environment |= self.environment
        self.project = self.backend.fleet().project
        self.put("prod", state_of("prod", "acme/web", "acme/lab"))

    def put(self, stack: str, deployment: dict[str, Any]) -> None:
        state = {"version": 4, "features": ["replaceWith"], "deployment": deployment}
        (self.folder / f"{stack}.stack").write_text(json.dumps(state))

    def get(self, stack: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{stack}.stack").read_text())
        return found

    def states(self) -> Store:
        found = open_store(self.environment, "t", self.folder)
        assert not found.tells_locks
        return found

    def stacks(self) -> list[str]:
        return sorted(each.stem for each in self.folder.glob("*.stack"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)


def plain(state: dict[str, Any]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in state["deployment"]["resources"])


def test_any_other_backend_is_moved_in_through_the_engine(elsewhere: Elsewhere) -> None:
    before = elsewhere.get("prod")
    states = elsewhere.states()
    planned = plan_split(elsewhere.project, states, "prod")
    split(elsewhere.project, states, planned)
    assert elsewhere.stacks() == ["acme--lab", "acme--web", "prod"]
    made = elsewhere.get("acme--web")
    assert (made["version"], made["features"]) == (4, ["replaceWith"])
    assert made["deployment"]["secrets_providers"] == SALT
    states = elsewhere.states()
    join(elsewhere.project, states, plan_join(elsewhere.project, states, "prod"))
    assert elsewhere.stacks() == ["prod"]
    assert plain(elsewhere.get("prod")) == plain(before)
    # No settings of a stack are left beside Pulumi.yaml, nor taken away.
    calls = (elsewhere.folder / "log").read_text()
    assert "stack rm acme--web --yes --force --preserve-config" in calls


def test_a_state_that_a_run_changed_meanwhile_is_not_written_over(elsewhere: Elsewhere) -> None:
    states = elsewhere.states()
    kept = states.read("prod")
    assert kept
    newer = state_of("prod", "acme/web")
    newer["manifest"]["time"] = "2026-11-22T13:00:00Z"
    elsewhere.put("prod", newer)
    with pytest.raises(StatesError, match="stack prod: a run changed it in the meantime"):
        states.write("prod", kept)
    assert elsewhere.get("prod")["deployment"] == newer


def test_what_pulumi_cloud_encrypted_is_not_moved(elsewhere: Elsewhere) -> None:
    elsewhere.put("prod", state_of("prod", "acme/web") | {"secrets_providers": {"type": "service"}})
    with pytest.raises(StatesError, match="change-secrets-provider"):
        elsewhere.states().read("prod")


def test_secrets_in_clear_are_encrypted_aside_with_the_key_that_is_given(
    elsewhere: Elsewhere,
) -> None:
    state = state_of("prod", "acme/web")
    clear = json.loads(json.dumps(state).replace('"ciphertext": "v1:', '"plaintext": "'))
    key = {"type": "passphrase", "state": {"salt": "v1:another"}}
    kept = recode(Kept(clear, 4, ("replaceWith",)), key, elsewhere.environment, elsewhere.folder)
    assert (kept.key, kept.version, kept.features) == (key, 4, ("replaceWith",))
    secrets = [
        each["inputs"]["password"] for each in kept.deployment["resources"] if each.get("inputs")
    ]
    assert secrets == [
        {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:another over acme/web"}
    ]
    # The project's own backend hears nothing of it.
    assert elsewhere.stacks() == ["prod"]


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".zst", zstd.compress)])
def test_a_state_that_is_packed_stays_so(
    tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    tree = Folder(tmp_path)
    envelope = {"version": 4, "checkpoint": {"latest": state_of("prod", "acme/web")}}
    key = f".pulumi/stacks/t/prod.json{ending}"
    tree.write(key, pack(json.dumps(envelope).encode()))
    states = InTree(tree, "t")
    assert states.stacks() == {"prod"}
    kept = states.read("prod")
    assert kept
    states.write("prod", kept)
    assert tree.keys(".pulumi/stacks/") == [key]
    again = states.read("prod")
    assert again
    assert again.deployment["resources"] == kept.deployment["resources"]
    # Whoever compares it with what a run left sees another state.
    assert again.written > kept.written
    tree.write(f"{key}.bak", b"")
    states.remove("prod")
    assert tree.keys("") == []


def test_a_stack_that_came_since_the_last_look_is_found(elsewhere: Elsewhere) -> None:
    states = elsewhere.states()
    assert states.read("acme--web") is None
    elsewhere.put("acme--web", state_of("acme--web", "acme/web"))
    assert states.read("acme--web")


def test_a_lock_is_the_engines_and_is_given_back(tmp_path: Path) -> None:
    tree = Folder(tmp_path)
    states = InTree(tree, "t")
    with states.hold({"prod", "acme--web"}):
        keys = tree.keys(".pulumi/locks")
        assert [key.split("/")[2:5] for key in keys] == [
            ["organization", "t", "acme--web"],
            ["organization", "t", "prod"],
        ]
        facts = json.loads(tree.read(keys[0]) or b"{}")
        assert facts.keys() == {"pid", "username", "hostname", "timestamp"}
    assert tree.keys(".pulumi/locks") == []
