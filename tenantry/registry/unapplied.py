"""Fields that the registry accepts and the program does not apply yet."""

from collections.abc import Callable, Iterable

from tenantry.registry.models import App

_UNAPPLIED: dict[str, Callable[[App], object]] = {
    "services": lambda app: app.services,
    "api_keys": lambda app: app.api_keys,
}


def unapplied(apps: Iterable[App]) -> list[str]:
    """Name each field that is set and has no effect yet, with the apps that set it: one line a field."""
    apps = list(apps)
    lines = []
    for field, value in _UNAPPLIED.items():
        setting = [app.id for app in apps if value(app)]
        if setting:
            lines.append(f"'{field}' is checked but not applied yet: {', '.join(setting)}")
    return lines
