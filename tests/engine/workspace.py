"""A project folder with a stack of its own, driven by the real `pulumi` as an operator would."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from providers.provider import Surroundings
from tenantry.engine.home import link_plugins
from tenantry.running.current import program_of
from tenantry.running.dynamic import DynamicProviders, attached
from tenantry.running.serving import serve

if TYPE_CHECKING:
    from tests.localcloud_fixture import LocalCloud

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 300
_RUN_THE_PROGRAM = frozenset({"up", "preview", "refresh", "destroy"})


class _Here:
    """This process's folder, where a served program finds its registry: one at a time, for any number of runs in it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._folder: Path | None = None
        self._runs = 0

    @contextmanager
    def inside(self, folder: Path) -> Iterator[None]:
        with self._condition:
            self._condition.wait_for(lambda: self._folder in {None, folder})
            if self._folder is None:
                self._before = Path.cwd()
                os.chdir(folder)
                self._folder = folder
            self._runs += 1
        try:
            yield
        finally:
            with self._condition:
                self._runs -= 1
                if not self._runs:
                    os.chdir(self._before)
                    self._folder = None
                    self._condition.notify_all()


_HERE = _Here()


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that it printed."""
        return self.out + self.err


@dataclass(frozen=True)
class Change:
    """One step of a preview that is not `same`, without the stack itself."""

    op: str
    type: str
    name: str
    fields: frozenset[str] = field(default_factory=frozenset)


class Workspace:
    """A folder with the program, a registry and a file backend."""

    def __init__(
        self,
        folder: Path,
        cloud: dict[str, str],
        *,
        served: bool = True,
        project: Path = REPOSITORY / "Pulumi.yaml",
    ) -> None:
        """Make the folder and its stack.

        :param project: its `Pulumi.yaml`
        :param served: whether program and providers are served from here; else the engine starts a language host and
            the SDK's server, as by hand
        """
        self.served = served
        self.folder = folder
        folder.mkdir(parents=True)
        for name in ("__main__.py", ".venv"):
            (folder / name).symlink_to(REPOSITORY / name)
        shutil.copy(project, folder / "Pulumi.yaml")
        self.state = folder / "state"
        self.state.mkdir()
        self.registry = folder / "tenants.yaml"
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"{self.state.as_uri()}?metadata=skip",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_CONFIG_PASSPHRASE": "of a test",
            "PULUMI_STACK": "test",
            "PULUMI_RUN_PROGRAM": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **cloud,
        }
        link_plugins(Path(sys.executable).parent, folder / "home")
        self.must("stack", "init", "test")

    def pulumi(self, *arguments: str) -> Finished:
        """Run `pulumi`; an exit code other than 0 is the caller's to judge.

        The program and its dynamic providers are served from this process, as `tenantry up` does. That halves the work
        of a run without changes.
        """
        with ExitStack() as stack:
            environment, options = self.environment, tuple[str, ...]()
            if self.served and arguments[0] in _RUN_THE_PROGRAM:
                stack.enter_context(_HERE.inside(self.folder))
                providers = DynamicProviders(Surroundings(environment, self.folder))
                address = stack.enter_context(serve(program_of(environment), providers=providers))
                environment = environment | attached(address)
                options = ("--client", address, "--exec-kind", "auto.inline")
            done = subprocess.run(
                ["pulumi", *arguments, "--non-interactive", "--color=never", *options],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        return Finished(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str) -> Finished:
        """Run `pulumi` and expect it to succeed."""
        done = self.pulumi(*arguments)
        assert done.code == 0, f"pulumi {' '.join(arguments)}\n{done.said}"
        return done

    def apply(self, registry: str) -> Finished:
        """Write the registry and converge."""
        self.registry.write_text(registry)
        return self.must("up", "--yes", "--skip-preview")

    def changes(self) -> set[Change]:
        """Preview, and tell every step that is not `same`."""
        done = self.must("preview", "--json")
        return {
            Change(
                step["op"],
                step["urn"].split("::")[2].split("$")[-1],
                step["urn"].split("::")[3],
                frozenset(step.get("diffReasons") or ()),
            )
            for step in json.loads(done.out)["steps"]
            if step["op"] not in {"same", "read"} and not step["urn"].endswith("tenantry-test")
        }

    def assert_converged(self) -> None:
        """Neither the registry nor the cloud differs from the state."""
        # At once: neither changes anything, and neither keeps two cores busy.
        with ThreadPoolExecutor() as pool:
            preview = pool.submit(self.must, "preview", "--expect-no-changes")
            self.must("refresh", "--preview-only", "--expect-no-changes")
            preview.result()

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in clear."""
        answer: dict[str, Any] = json.loads(
            self.must("stack", "output", "--json", "--show-secrets").out
        )
        return answer

    def url(self, app: str, kind: str = "direct") -> str:
        """A connection URL of an app."""
        url: str = self.outputs()["urls"][app][kind]
        return url

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state, secrets encrypted."""
        exported = json.loads(self.must("stack", "export").out)
        found: list[dict[str, Any]] = exported["deployment"].get("resources", [])
        return found


def projects(cloud: "LocalCloud", namespace: str) -> list[str]:
    """The names of the cloud's live projects that hold this text."""
    with cloud.client() as client:
        answer = client.get(
            "/projects", params={"search": namespace, "limit": 100, "org_id": cloud.neon_org_id}
        )
    return sorted(project["name"] for project in answer.raise_for_status().json()["projects"])
