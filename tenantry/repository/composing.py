"""The files that a repository begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from tenantry.repository.errors import RepositoryError
from tenantry.repository.shipped import shipped

if TYPE_CHECKING:
    from tenantry.repository.choices import Choices
    from tenantry.repository.pinning import Pin

_TEMPLATES: Final = Path(__file__).parent / "begins_with"
SCRIPT: Final = "ci/tenantry-ci"
WORKFLOWS: Final = "ci/github"
_SERVICE_ROWS: Final = (
    "| `ci/tenantry-ci` | the steps of a CI service: validate, plan, apply, look for drift |\n"
)
_GITHUB_ROW: Final = "| `.github/workflows` | these steps on GitHub |\n"
_GITHUB: Final = """
The workflows need these in the settings of the repository on GitHub:

- variables: `PULUMI_STACK`, `NEON_ORG_ID`; with graphs `AURA_CLIENT_ID` and `AURA_TENANT_ID`; with states in S3
  `AWS_REGION`
- secrets: `PULUMI_BACKEND_URL`, `PULUMI_CONFIG_PASSPHRASE`, `NEON_API_KEY`; where there is one `TENANTRY_CATALOG_URL`,
  `AURA_CLIENT_SECRET`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`
- an environment `tenantry` with reviewers, in which changes are applied
"""
_REAL: Final = """
The commands ask Neon with `NEON_API_KEY` in the organization `NEON_ORG_ID`, and encrypt the state with the passphrase in
the file that `PULUMI_CONFIG_PASSPHRASE_FILE` names$backend. `tenantry doctor` checks them.
"""
_LOCAL: Final = """
The runs are on a local cloud: a Neon API with real PostgreSQL behind it, in the folder `.tenantry`. Nothing is paid and
no account is asked for. `localcloud stop` ends it.
"""


@dataclass(frozen=True)
class File:
    """A file of a repository."""

    content: bytes
    executable: bool = False
    kept: bool = False
    """Whether one that is there already and says something else is as good, and stays."""


def compose(choices: Choices, pin: Pin) -> dict[str, File]:
    """Return the files by their paths in the repository.

    :raises RepositoryError: the first app or its place cannot be as chosen
    """
    from tenantry.registry.schema import schema_text

    files = {
        "tenants.yaml": _text(_registry(choices)),
        "tenants.schema.json": _text(schema_text()),
        "Pulumi.yaml": _text(_project(choices)),
        choices.settings: _text(_settings(choices)),
        "__main__.py": File(shipped("__main__.py").read_bytes()),
        **pinned(pin),
        ".gitignore": File(_filled("gitignore").encode(), kept=True),
        "README.md": File(_readme(choices).encode(), kept=True),
    }
    if choices.service != "none":
        files |= service_files(github=choices.service == "github")
    return files


def pinned(pin: Pin) -> dict[str, File]:
    """Return the files that pin the version."""
    files = {"requirements.txt": _text(pin.requirements())}
    if pin.wheel is not None:
        files[pin.path] = File(pin.wheel.read_bytes())
    return files


def service_files(*, github: bool) -> dict[str, File]:
    """Return the steps of a CI service, and what calls them on GitHub."""
    files = {SCRIPT: File(shipped(SCRIPT).read_bytes(), executable=True)}
    if github:
        files |= {
            f".github/workflows/{each.name}": File(each.read_bytes())
            for each in sorted(shipped(WORKFLOWS).glob("*.yml"))
        }
    return files


def _registry(choices: Choices) -> str:
    from tenantry.registry.adding import add_app
    from tenantry.registry.editing import EditError, RegistryFile
    from tenantry.registry.loading import parse
    from tenantry.registry.problems import RegistryError

    text = _filled(
        "tenants.yaml",
        namespace=choices.namespace,
        region=choices.region,
        environment=choices.environment,
    )
    path = Path("tenants.yaml")
    try:
        begun = RegistryFile(path, text.encode(), parse(text.encode(), str(path)))
        return add_app(begun, choices.app).after.decode()
    except RegistryError as error:
        raise RepositoryError("\n".join(each.message for each in error.problems)) from None
    except EditError as error:
        raise RepositoryError(str(error)) from None


def _project(choices: Choices) -> str:
    backend = f"backend:\n  url: {choices.backend}\n" if choices.backend else ""
    text = _filled("Pulumi.yaml", namespace=choices.namespace, cloud=choices.cloud, backend=backend)
    return text.replace("\n\n", "\n")


def _settings(choices: Choices) -> str:
    what = "The settings that all stacks share" if choices.fleet else "The settings of the stack"
    name = "" if choices.fleet else f" `{choices.stack}`"
    return _filled("settings.yaml", what=f"{what}{name}")


def _readme(choices: Choices) -> str:
    commands = [f".venv/bin/{each}" for each in next_commands(choices)]
    rows = _SERVICE_ROWS if choices.service != "none" else ""
    rows += _GITHUB_ROW if choices.service == "github" else ""
    backend = "" if choices.backend else ". `PULUMI_BACKEND_URL` says where the states are"
    real = Template(_REAL).substitute(backend=backend)
    return _filled(
        "README.md",
        commands="\n".join(f"    {each}" for each in commands),
        settings=choices.settings,
        stacks="all stacks" if choices.fleet else f"the stack `{choices.stack}`",
        rows=rows,
        clouds=_LOCAL if choices.cloud == "local" else real,
        github=_GITHUB if choices.service == "github" else "",
    )


def next_commands(choices: Choices) -> list[str]:
    """Return the commands that bring a new repository's clouds to what its registry says."""
    if choices.cloud == "local":
        return ["tenantry fleet up" if choices.fleet else "tenantry up"]
    run = "fleet up" if choices.fleet else "up --create"
    return ["tenantry engine", "tenantry doctor", f"tenantry {run}"]


def _filled(name: str, **values: str) -> str:
    return Template((_TEMPLATES / name).read_text("utf-8")).substitute(values)


def _text(text: str) -> File:
    return File(text.encode())
