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
    own = (_read(settings_of(folder, stack)).get("config") or {}).get("tenantry:registry")
    return folder / str(own or project_default(folder, "tenantry:registry") or "tenants.yaml")


def setting_in(file: Path, folder: Path, key: str) -> str | None:
    """Return a setting that is no secret: as a stack's file has it, else the project's default; None where neither has.

    :param folder: the folder of `Pulumi.yaml`
    """
    own = (_read(file).get("config") or {}).get(key)
    return own if isinstance(own, str) else project_default(folder, key)


def is_set(folder: Path, stack: str, key: str) -> bool:
    """Tell whether a stack has a setting in its own file, also a secret one.

    :param folder: the folder of `Pulumi.yaml`
    """
    return key in (_read(settings_of(folder, stack)).get("config") or {})


def project_default(folder: Path, key: str) -> str | None:
    """Return the default that `Pulumi.yaml` gives a setting; None where it has none.

    :param folder: the folder of `Pulumi.yaml`
    :param key: with its namespace: `tenantry:apps`
    """
    declared = _read(folder / "Pulumi.yaml").get("config")
    found = declared.get(key) if isinstance(declared, dict) else None
    value = found.get("default", found.get("value")) if isinstance(found, dict) else found
    return value if isinstance(value, str) else None


def project_backend(folder: Path) -> str | None:
    """Return the URL of the backend that `Pulumi.yaml` names; None where it names none.

    :param folder: the folder of `Pulumi.yaml`
    """
    backend = _read(folder / "Pulumi.yaml").get("backend")
    url = backend.get("url") if isinstance(backend, dict) else None
    return url if isinstance(url, str) and url else None


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
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise EngineError(f"{file}: it cannot be read: {reason}") from None
    return found if isinstance(found, dict) else {}
