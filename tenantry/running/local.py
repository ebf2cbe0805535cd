"""The environment of a run, and the local cloud of a folder, where runs are on that."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tenantry.errors import TenantryError
from tenantry.running.settings import project_backend, project_default
from tenantry.surroundings import bare

if TYPE_CHECKING:
    from collections.abc import Callable

CLOUD: Final = "tenantry:cloud"
"""The setting in `Pulumi.yaml` whose default `local` says that runs are on the folder's local cloud."""
IGNORE: Final = (
    "# Made by runs, with secrets among it: nothing of it belongs into a repository.\n*\n"
)

# Pulumi and the Aura client prefer these to what is set below, so a shell that has one from elsewhere would go astray.
UNSET = ("PULUMI_CONFIG_PASSPHRASE", "AURA_API_TOKEN")


class LocalCloudError(TenantryError):
    """The local cloud does not answer; the message says what to do."""


class NotRunningError(LocalCloudError):
    """It is not running."""


def environment(project: Path) -> dict[str, str]:
    """Give the variables with which `pulumi` runs on the local cloud.

    State is kept below `.tenantry/state` and encrypted with a passphrase that is made once for this folder
    (`.tenantry/passphrase`, mode 0600).

    :param project: the folder of `Pulumi.yaml`
    :raises LocalCloudError: there is no `Pulumi.yaml`, the local cloud is not running
    """
    from tenantry.engine.home import link_plugins

    _in_project(project)
    home = project / ".tenantry"
    cloud = _local_cloud(home / "localcloud")
    state = home / "state"
    state.mkdir(parents=True, exist_ok=True)
    _keep_from_git(home)
    link_plugins(_commands(), home / "pulumi")
    return {
        "PATH": os.pathsep.join([str(_commands()), os.environ.get("PATH", "")]),
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        # Without the file of attributes that the engine else writes beside each state: one that it was killed over is
        # empty, and the state then counts as unreadable ("failed to load checkpoint: EOF").
        "PULUMI_BACKEND_URL": f"{state.as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(_passphrase(home / "passphrase")),
        "PULUMI_STACK": "dev",
        # The key's parameters stand in the state, and not in Pulumi.dev.yaml, which is the repository's.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        # A refresh or a destroy configures the providers with today's credentials, not with the stored ones.
        "PULUMI_RUN_PROGRAM": "true",
        # The engine and its plugins are in place: nothing is looked for elsewhere.
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "NEON_API_URL": cloud["neon_api_url"],
        "NEON_API_KEY": cloud["neon_api_key"],
        "NEON_ORG_ID": cloud["neon_org_id"],
        "TENANTRY_CATALOG_URL": cloud["catalog_url"],
        "AURA_BASE_URL": cloud["aura_base_url"],
        "AURA_TOKEN_URL": cloud["aura_token_url"],
        "AURA_CLIENT_ID": cloud["aura_client_id"],
        "AURA_CLIENT_SECRET": cloud["aura_client_secret"],
        "AURA_TENANT_ID": cloud["aura_tenant_id"],
        "TENANTRY_ISSUER_URL": cloud["issuer_url"],
        # The local APIs are nobody's account: neither their limits nor their pace are Neon's or Aura's.
        "NEON_API_RPM": "6000",
        "NEON_POLL_SECONDS": "0.2",
        "AURA_REQUESTS_PER_MINUTE": "6000",
        "AURA_POLL_SECONDS": "0.5-2",
    }


def is_local(project: Path) -> bool:
    """Tell whether runs are on the folder's local cloud.

    They are where neither the shell nor `Pulumi.yaml` names a backend, and the folder has a local run or `Pulumi.yaml`
    says so (`CLOUD`).

    :param project: the folder of `Pulumi.yaml`
    """
    if "PULUMI_BACKEND_URL" in os.environ or project_backend(project):
        return False
    return (project / ".tenantry" / "state").exists() or project_default(project, CLOUD) == "local"


def current_environment(project: Path) -> dict[str, str]:
    """Give this shell's environment, with the engine beside this Python; where runs are local, that of the local cloud.

    :raises LocalCloudError: there is no `Pulumi.yaml`; runs are local, and the cloud is not running
    """
    _in_project(project)
    if not is_local(project):
        backend = {"PULUMI_BACKEND_URL": url} if (url := project_backend(project)) else {}
        return _with_engine({**backend, **os.environ})
    inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**inherited, **environment(project)}


def begin(project: Path, say: "Callable[[str], None]") -> dict[str, str]:
    """Give what `current_environment` does, for a run. Where runs are local, what they need is put in place first.

    That is the engine beside this Python, and the folder's local cloud. In place already, both take no time.

    :param project: the folder of `Pulumi.yaml`
    :param say: takes a line for each thing that is done
    :raises EngineError: the engine cannot be had
    :raises LocalCloudError: there is no `Pulumi.yaml`; the local cloud does not start
    """
    _in_project(project)
    if is_local(project):
        from tenantry.engine import ensure

        ensure(_commands(), report=say)
    try:
        return current_environment(project)
    except NotRunningError:
        _start(project / ".tenantry" / "localcloud", say)
        return current_environment(project)


def extensions(project: Path) -> frozenset[str] | None:
    """Ask the folder's local cloud which extensions its databases can have.

    None where runs are on another cloud, the local one does not run, or it is of a version that does not say. Where the
    folder never had one, nothing is started.

    :param project: the folder of `Pulumi.yaml`
    """
    data = project / ".tenantry" / "localcloud"
    if "PULUMI_BACKEND_URL" in os.environ or not data.exists():
        return None
    try:
        found = _local_cloud(data).get("extensions")
    except LocalCloudError:
        return None
    return None if found is None else frozenset(found)


def _in_project(folder: Path) -> None:
    if not (folder / "Pulumi.yaml").exists():
        raise LocalCloudError(f"{folder}: no Pulumi.yaml here: run this in the project's folder")


def _commands() -> Path:
    """Return the folder of this Python's commands: the engine is linked into it."""
    return Path(sys.executable).parent


def _with_engine(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment whose PATH ends with the engine that was put beside this Python."""
    from tenantry.engine.ensuring import STAMP

    before = environment.get("PATH", "")
    if not (_commands() / STAMP).exists() or str(_commands()) in before.split(os.pathsep):
        return environment
    return {**environment, "PATH": os.pathsep.join([before, str(_commands())])}


def _start(data: Path, say: "Callable[[str], None]") -> None:
    say(f"local cloud: starts; localcloud stop ends it, and its data stay in {data}")
    done = _localcloud("start", data)
    if done.returncode != 0:
        raise LocalCloudError(done.stderr.strip() or f"localcloud: exit code {done.returncode}")


def _local_cloud(data: Path) -> dict[str, Any]:
    answer = _localcloud("status", data)
    if answer.returncode != 0:
        raise NotRunningError(
            "the local cloud is not running: tenantry up starts it, and so does localcloud start"
        )
    facts: dict[str, Any] = json.loads(answer.stdout)
    if not facts.get("catalog_url") or not facts.get("issuer_url"):
        # It was started before this folder was updated, and lacks what came with the update.
        raise LocalCloudError(
            "the local cloud was started by an older version: localcloud stop, then tenantry up"
        )
    return facts


def _localcloud(word: str, data: Path) -> "subprocess.CompletedProcess[str]":
    """Run one of the commands of `localcloud` on a data folder."""
    command = _commands() / "localcloud"
    found = str(command) if command.exists() else shutil.which("localcloud")
    if found is None:
        raise LocalCloudError("localcloud is not installed: pip install 'tenantry[localcloud]'")
    return subprocess.run(  # noqa: S603 the command is this environment's own
        [found, word, "--data", str(data), "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=bare(os.environ),
    )


def _keep_from_git(home: Path) -> None:
    """Keep what runs make out of a repository, whatever its own `.gitignore` says."""
    file = home / ".gitignore"
    if not file.exists():
        file.write_text(IGNORE)


def _passphrase(path: Path) -> Path:
    if not path.exists():
        # Written whole before it has its name: a passphrase that was cut short would lock the state.
        part = path.with_suffix(f".{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(secrets.token_hex(32))
        # Of two at once the first wins, and both read its text.
        with suppress(FileExistsError):
            path.hardlink_to(part)
        part.unlink()
    return path
