"""What an app would lose by a change of it, in the words of the rules on removal: before a run, without a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.registry.applied import AppliedApp
from tenantry.registry.days import is_over
from tenantry.registry.graphs import graph_place
from tenantry.registry.transition import judge_transition

if TYPE_CHECKING:
    from tenantry.registry.models import App


def lost(before: App, after: App) -> tuple[list[str], list[str]]:
    """Judge a change as a run will that finds the app as it was.

    :return: why the run would refuse it; what it would destroy where it may. A line each
    """
    judgement = judge_transition([_as_applied(before)], [after])
    return judgement.refused, judgement.told


def _as_applied(app: App) -> AppliedApp:
    """Return an app as a stack holds it that was converged with it, in accounts that nobody names."""
    return AppliedApp(
        id=app.id,
        deletion=app.deletion,
        account="",
        region=app.region,
        postgres_version=app.database.postgres_version,
        generation=app.database.credentials.generation,
        branches=frozenset(
            each.name for each in app.database.branches if not is_over(each.expires)
        ),
        api_keys={each.name: each.generation for each in app.api_keys},
        graphs={each.id: graph_place(each.graph, "") for each in app.graphs},
        namespace=app.namespace,
        logical_replication=app.database.logical_replication,
        provider=app.database.provider,
    )
