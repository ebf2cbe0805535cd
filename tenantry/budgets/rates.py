"""How fast a bucket fills, and how much it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

KEPT: Final = 1.0
"""Seconds after which a token that was drawn is not spent any more. So a minute sees what was drawn in 61 seconds."""
NEON_PER_MINUTE: Final = 660
"""As the plugin has it (`NEON_API_RPM`)."""
NEON_MOST: Final = 6000
"""What the plugin takes at most."""
_NEON_BURST: Final = 15
"""With 660 a minute: at most 15 + 671 requests in any minute, of the 700 that Neon allows, and 37 in any second, of the
40 that it bears on one route (neon.com/docs/reference/api/key-concepts, "API rate limits")."""
_AURA_PART: Final = 3 / 4


@dataclass(frozen=True)
class Rate:
    """Of a bucket."""

    per_minute: int
    """Tokens that come in a minute."""
    burst: int
    """Tokens that it holds at most."""


def neon_rate(per_minute: float) -> Rate:
    """Return the rate of Neon's bucket.

    :param per_minute: requests a minute, `NEON_API_RPM`
    """
    most = max(1, round(per_minute))
    return Rate(most, max(1, math.floor(_NEON_BURST * most / NEON_PER_MINUTE)))


def aura_rate(per_minute: int) -> Rate:
    """Return the rate of Aura's bucket. What may go at once and what comes in a minute make less than the limit.

    :param per_minute: requests in any 60 seconds, `AURA_REQUESTS_PER_MINUTE`
    """
    most = max(1, math.floor(per_minute * _AURA_PART))
    # One less: requests that were let through a moment apart may arrive closer together.
    return Rate(most, max(1, per_minute - most - 1))
