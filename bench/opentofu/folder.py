"""A working folder of OpenTofu: the apps of a registry, declared by `main.tf` with the stock providers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from bench.processes import Cost, measure
from components.database import RESERVED_CONNECTIONS
from tenantry.registry import App, load

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM: Final = "TENANTRY_BENCH_TOFU"
PROVIDERS: Final = "TENANTRY_BENCH_TOFU_PROVIDERS"
_DECLARATION: Final = Path(__file__).with_name("main.tf")


@dataclass(frozen=True, slots=True)
class OpenTofu:
    """Where the program is, and the folder that mirrors its providers."""

    program: Path
    mirror: Path

    @classmethod
    def found(cls, environment: Mapping[str, str]) -> Self | None:
        """Return what two variables name, or None where neither is set. Raises ValueError where one leads nowhere."""
        named = {name: environment.get(name, "") for name in (PROGRAM, PROVIDERS)}
        if not any(named.values()):
            return None
        for name, path in named.items():
            if not path or not Path(path).exists():
                raise ValueError(f"{name}: {path or 'nothing'}: name an existing path")
        return cls(Path(named[PROGRAM]).absolute(), Path(named[PROVIDERS]).absolute())

    def version(self) -> str:
        """Return the program's own version."""
        command = (str(self.program), "version", "-json")
        said = subprocess.run(
            command, check=True, capture_output=True, text=True, env=_surroundings()
        ).stdout
        version: str = json.loads(said)["terraform_version"]
        return version


class OpenTofuFolder:
    """A folder with the declaration, the apps as its variables, and a state."""

    def __init__(
        self, folder: Path, tofu: OpenTofu, environment: Mapping[str, str], organization: str
    ) -> None:
        """Make the folder; `environment` leads the providers to the API."""
        self._folder = folder
        self._tofu = tofu
        self._organization = organization
        folder.mkdir(parents=True)
        shutil.copy(_DECLARATION, folder)
        settings = folder / "tofu.rc"
        settings.write_text(
            "provider_installation {\n"
            f"  filesystem_mirror {{ path = {json.dumps(str(tofu.mirror))} }}\n"
            "}\n"
        )
        self._environment = {
            **_surroundings(),
            **environment,
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }

    def write(self, registry: Path) -> None:
        """Declare the apps of a registry."""
        variables = {
            "organization": self._organization,
            "apps": {app.id: _variables(app) for app in load(registry).apps},
        }
        (self._folder / "terraform.tfvars.json").write_text(json.dumps(variables))

    def init(self) -> None:
        """Let OpenTofu find its providers; it wants the apps for that."""
        self._run("init", "-input=false")

    def apply(self, *, samples_a_second: float = 4) -> Cost:
        """Run `tofu apply`."""
        return self._run(
            "apply", "-auto-approve", "-input=false", samples_a_second=samples_a_second
        )

    def _run(self, *arguments: str, samples_a_second: float = 4) -> Cost:
        command = (str(self._tofu.program), *arguments, "-no-color")
        return measure(command, self._folder, self._environment, samples_a_second=samples_a_second)


def _surroundings() -> dict[str, str]:
    """Return the environment without the settings of OpenTofu and of PostgreSQL's clients that the shell has."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "PG"))}


def _variables(app: App) -> dict[str, Any]:
    database, names = app.database, app.names
    return {
        "region": app.region,
        "postgres_version": database.postgres_version,
        "history_retention": database.history_retention,
        "min_cu": database.compute.min_cu,
        "max_cu": database.compute.max_cu,
        "suspend_after": database.compute.suspend_after,
        "project": names.project,
        "owner": names.owner_role,
        "group": names.group_role,
        "login": names.login_role(database.credentials.generation),
        "database": names.database,
        "schema": names.schema,
        "connection_limit": database.connection_limit,
        "database_connection_limit": database.connection_limit + RESERVED_CONNECTIONS,
        "statement_timeout": database.statement_timeout,
    }
