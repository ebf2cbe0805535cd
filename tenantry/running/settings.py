"""A stack's own file of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenantry.running.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path


def settings_of(folder: Path, stack: str) -> Path:
    """Return where the settings of a stack stand; the file need not be there.

    :param folder: the folder of `Pulumi.yaml`, which may name another one (`stackConfigDir`)
    :param stack: its name, with or without the organization before it
    """
    inside = _read(folder / "Pulumi.yaml").get("stackConfigDir") or "."
    return folder / str(inside) / f"Pulumi.{stack.rsplit('/', 1)[-1]}.yaml"


def project_name(folder: Path) -> str:
    """Return the project's name.

    :param folder: the folder of `Pulumi.yaml`
    :raises EngineError: that cannot be read, or has no name
    """
    import yaml

    try:
        found = yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))
        return str(found["name"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise EngineError(f"{folder}/Pulumi.yaml: it cannot be read, or has no name") from None


def registry_of(folder: Path, stack: str) -> Path:
    """Return the registry's file that a stack has: its setting `tenantry:registry`, else the project's, else the usual.

    :param folder: the folder of `Pulumi.yaml`
    """
    own, project = (
        (_read(file).get("config") or {}).get("tenantry:registry")
        for file in (settings_of(folder, stack), folder / "Pulumi.yaml")
    )
    if isinstance(project, dict):
        project = project.get("default", project.get("value"))
    return folder / str(own or project or "tenants.yaml")


def secrets_provider(file: Path) -> str | None:
    """Return the provider of keys for a new stack; None for a passphrase, or where the file has a key already."""
    found = _read(file)
    provider = found.get("secretsprovider")
    return str(provider) if provider and not found.get("encryptedkey") else None


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}
