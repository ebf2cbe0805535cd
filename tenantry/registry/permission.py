"""Which apps one run may destroy together: those that are allowed by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "TENANTRY_ALLOW_DESTROY"
"""For one run: what `tenantry up --allow-destroy` sets."""

LEAVING: Final = "TENANTRY_DESTROY"
"""For one run: the apps that `tenantry destroy` takes out of the stack, whatever the registry says."""


def leaving_apps(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the ids that `tenantry destroy` takes out of the stack in this run."""
    return allowed_apps(environment.get(LEAVING), {})


def allowed_apps(configured: str | None, environment: Mapping[str, str]) -> frozenset[str]:
    """Return the ids that the stack's `tenantry:allowDestroy` and the environment name, each a list with commas."""
    names = f"{configured or ''},{environment.get(VARIABLE, '')}".split(",")
    return frozenset(name.strip() for name in names if name.strip())


def permission(*apps: str) -> str:
    """Return the commands that let apps go: for one run, and for the stack until it is taken back."""
    options = " ".join(f"--allow-destroy {app}" for app in apps)
    return f"tenantry up {options}, or pulumi config set tenantry:allowDestroy {','.join(apps)}"
