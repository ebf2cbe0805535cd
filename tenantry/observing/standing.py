"""How everything stands at the moment, as one statement: rows of a metric, its labels and its value."""

from __future__ import annotations

from typing import Final

from tenantry.selfservice.expiring import SOON

_SELECTS: Final = {
    "tenantry_queue_depth": """
SELECT ARRAY[CASE WHEN status = 'running' THEN 'running' WHEN next_attempt_at > now() THEN 'later' ELSE 'waiting' END],
  count(*) FROM tenantry.operations WHERE namespace = %(namespace)s AND status IN ('queued', 'running') GROUP BY 1""",
    "tenantry_queue_oldest_seconds": """
SELECT '{}', coalesce(max(extract(epoch FROM now() - greatest(created_at, next_attempt_at))), 0) FROM tenantry.operations
WHERE namespace = %(namespace)s AND status = 'queued' AND coalesce(next_attempt_at, now()) <= now()""",
    "tenantry_workers": """
SELECT ARRAY[CASE WHEN heartbeat_at > now() - interval '2 minutes' THEN 'live' ELSE 'silent' END], count(*)
FROM tenantry.workers WHERE stopped_at IS NULL GROUP BY 1""",
    "tenantry_worker_slots": """
SELECT '{}', coalesce(sum(slots), 0) FROM tenantry.workers
WHERE stopped_at IS NULL AND heartbeat_at > now() - interval '2 minutes'""",
    "tenantry_worker_heartbeat_age_seconds": """
SELECT '{}', extract(epoch FROM now() - max(heartbeat_at)) FROM tenantry.workers HAVING count(*) > 0""",
    # As `selfservice.specs.Listed.status` has it.
    "tenantry_asked_apps": """
SELECT ARRAY[s.plan, CASE WHEN o.status IN ('failed', 'cancelled') THEN 'failed'
  WHEN s.deletion_requested_at IS NOT NULL THEN 'deleting' WHEN s.observed_generation = 0 THEN 'provisioning'
  WHEN s.observed_generation = s.generation THEN 'ready' ELSE 'updating' END], count(*)
FROM tenantry.app_specs s LEFT JOIN LATERAL (SELECT status FROM tenantry.operations WHERE spec = s.id
  ORDER BY created_at DESC, id DESC LIMIT 1) o ON true
WHERE s.namespace = %(namespace)s AND s.deleted_at IS NULL GROUP BY 1""",
    "tenantry_apps": """
SELECT ARRAY[environment], count(*) FROM tenantry.app_metadata
WHERE namespace = %(namespace)s AND deleted_at IS NULL GROUP BY 1""",
    "tenantry_user_databases": """
SELECT ARRAY[u.status], count(*) FROM tenantry.user_databases u JOIN tenantry.app_metadata a ON a.id = u.app
WHERE a.namespace = %(namespace)s AND u.deleted_at IS NULL AND a.deleted_at IS NULL GROUP BY 1""",
    "tenantry_api_keys_expiring": f"SELECT '{{}}', count(*) {SOON}",
    "tenantry_cloud_budget_tokens": """
SELECT ARRAY[left(digest, 8)], tokens FROM tenantry.cloud_budgets""",
    "tenantry_cloud_budget_per_minute": """
SELECT ARRAY[left(digest, 8)], per_minute FROM tenantry.cloud_budgets""",
    "tenantry_cloud_held_seconds": """
SELECT ARRAY[left(digest, 8)], greatest(0, coalesce(extract(epoch FROM held_until - now()), 0))
FROM tenantry.cloud_budgets""",
    "tenantry_drift_apps": """
SELECT '{}', (SELECT count(*) FROM jsonb_object_keys(drifted)) FROM last_look""",
    "tenantry_orphans": """
SELECT ARRAY[kind], coalesce(jsonb_array_length(strays -> kind), 0)
FROM last_look, unnest(ARRAY['orphan', 'duplicate']) AS kind""",
    "tenantry_last_drift_timestamp_seconds": """
SELECT '{}', extract(epoch FROM at) FROM last_look""",
    "tenantry_signups_total": """
SELECT ARRAY[source], count(*) FROM tenantry.user_signups WHERE namespace = %(namespace)s GROUP BY 1""",
    "tenantry_signup_lag_seconds": """
SELECT '{}', coalesce(max(extract(epoch FROM received_at - signed_up_at)), 0) FROM tenantry.user_signups
WHERE namespace = %(namespace)s AND received_at > now() - interval '1 hour'""",
    "tenantry_notifications": """
SELECT ARRAY[state], count(n.id) FROM unnest(ARRAY['waiting', 'given_up']) AS state LEFT JOIN tenantry.notifications n
ON n.namespace = %(namespace)s AND (n.ended_at IS NULL OR n.failure IS NOT NULL)
AND state = CASE WHEN n.ended_at IS NULL THEN 'waiting' ELSE 'given_up' END GROUP BY 1""",
}
STANDING: Final = "WITH last_look AS ({}) {}".format(
    "SELECT at, drifted, strays FROM tenantry.drift_looks WHERE namespace = %(namespace)s ORDER BY at DESC LIMIT 1",
    " UNION ALL ".join(
        f"SELECT '{name}' AS metric, labels::text[], value::float8 FROM ({select}) AS {name} (labels, value)"  # noqa: S608  # ours
        for name, select in _SELECTS.items()
    ),
)
"""Takes `namespace` and `before` (`expiring.BEFORE`). What is not there has no row, such as a look before the first."""
