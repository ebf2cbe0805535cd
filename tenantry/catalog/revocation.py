"""Revoking an API key in the catalog, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import psycopg

_REVOKE: Final[LiteralString] = """\
UPDATE tenantry.api_keys k SET revoked_at = now() FROM tenantry.app_metadata a
WHERE a.id = k.app AND a.namespace = %(namespace)s AND a.app_id = %(app)s AND a.deleted_at IS NULL
  AND k.name = %(name)s AND k.generation = ANY (%(generations)s) AND k.revoked_at IS NULL
RETURNING k.generation"""

_REVOKED: Final[LiteralString] = """\
SELECT k.generation, max(k.revoked_at) FROM tenantry.api_keys k JOIN tenantry.app_metadata a ON a.id = k.app
WHERE a.namespace = %(namespace)s AND a.app_id = %(app)s AND a.deleted_at IS NULL
  AND k.name = %(name)s AND k.generation = ANY (%(generations)s) AND k.revoked_at IS NOT NULL
GROUP BY k.generation"""


@dataclass(frozen=True)
class Revocation:
    """What became of each generation; one that is in neither was not in the catalog."""

    revoked: frozenset[int]
    """Valid or expired until now."""
    before: Mapping[int, datetime]
    """Revoked earlier, and when."""


def revoke(
    connection: psycopg.Connection[tuple[Any, ...]],
    *,
    namespace: str,
    app: str,
    name: str,
    generations: Collection[int],
) -> Revocation:
    """Revoke generations of a key; from then on `verify` says `revoked`.

    :param app: `tenant/app`
    :param name: the key's name
    """
    values = {
        "namespace": namespace,
        "app": app,
        "name": name,
        "generations": list(generations),
    }
    with connection.transaction():
        revoked = frozenset(row[0] for row in connection.execute(_REVOKE, values))
        before = {
            generation: at
            for generation, at in connection.execute(_REVOKED, values)
            if generation not in revoked
        }
    return Revocation(revoked, before)
