"""Fields that the registry accepts and the program does not apply yet."""

from collections.abc import Callable, Iterable

from tenantry.registry.models import App

_UNAPPLIED: dict[str, Callable[[App], object]] = {
    "graph": lambda app: app.graph,
}


def unapplied(apps: Iterable[App], *, catalog: bool) -> list[str]:
    """Name each field that is set and has no effect, or not its full one, with the apps that set it: one line a field.

    :param catalog: whether this run has a catalog
    """
    apps = list(apps)
    lines = []
    for field, value in _UNAPPLIED.items():
        setting = [app.id for app in apps if value(app)]
        if setting:
            lines.append(f"'{field}' is checked but not applied yet: {', '.join(setting)}")
    if apps and not catalog:
        lines.append(
            "no catalog is configured: no app or service is registered, and API keys cannot be verified; set "
            "TENANTRY_CATALOG_URL, or pulumi config set --secret tenantry:catalogUrl"
        )
    return lines
