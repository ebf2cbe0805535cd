"""What the apps of a folder used in a month."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tenantry.fleet.looking import looker_for
from tenantry.running.local import current_environment

if TYPE_CHECKING:
    from tenantry.registry.models import Registry
    from tenantry.usage.measures import Month
    from tenantry.usage.reporting import Usage


def usage_of(url: str | None, registry: Registry, month: Month) -> tuple[Usage, tuple[str, str]]:
    """Return what the apps used in a month, and whence that is known and of when.

    The catalog is read where a worker keeps it there, else Neon is asked.

    :param url: the catalog's; None where there is none
    :raises TenantryError: nothing can be asked
    """
    from tenantry.neon.looking import connect
    from tenantry.usage.measuring import measure
    from tenantry.usage.reporting import usage as report
    from tenantry.usage.samples import Stored, stored

    kept = stored(url, registry.namespace, month) if url else Stored()
    if kept.at is not None:
        measured = kept.at.isoformat(timespec="seconds")
        return report(registry, kept.samples, month, kept.users), ("catalog", measured)
    environment = current_environment(Path.cwd())
    looker = looker_for(Path.cwd(), environment)
    with connect(looker.configuration, environment) as client:
        samples = measure(client, registry, month.start, min(month.end, month.now))
    measured = month.now.isoformat(timespec="seconds")
    return report(registry, samples, month, kept.users), ("neon", measured)
