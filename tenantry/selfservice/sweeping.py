"""Users of whom no message told: a database webhook is delivered at most once, so now and then they are looked up."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tenantry.provisioning.postgres import password_in, reason_of
from tenantry.selfservice import audit
from tenantry.selfservice.alone import alone
from tenantry.selfservice.database import connection, transaction
from tenantry.selfservice.errors import AwayError, SelfServiceError
from tenantry.selfservice.signups import SignUp, sign_up, unknown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping
    from uuid import UUID

    import psycopg

    from tenantry.selfservice.database import Connection, Pool
    from tenantry.selfservice.jobs import Jobs

USERS_URL: Final = "TENANTRY_USERS_URL"
"""The variable with the libpq URI of the database that has `auth.users`, of a role that may read `id`, `created_at` and
`deleted_at` of it. Without it nobody is looked up."""
SINCE: Final = "TENANTRY_USERS_SINCE"
"""The variable with the moment (ISO 8601) after which users signed up who are looked up."""
EVERY_SECONDS: Final = 600.0
PAGE: Final = 500
MOST: Final = 100
"""How many graphs one sweep asks for: a mistake in a setting must not make thousands."""
_USUALLY: Final = timedelta(days=7)
_MINUTE: Final = timedelta(minutes=1)
"""So long a message may be under way."""
_STATEMENT_SECONDS: Final = 15
_ACTION: Final = "signups.sweep"


class SweepError(SelfServiceError):
    """The users cannot be looked up as it is set."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep came to."""

    looked: int
    """How many users were compared."""
    missed: int
    """For how many a graph was asked for."""
    lag_seconds: float = 0.0
    """How long ago the first of them signed up."""


def since(environment: Mapping[str, str], *, now: datetime) -> datetime:
    """Return the moment after which users signed up who are looked up; by default seven days ago.

    :raises SweepError: the variable holds no moment
    """
    text = environment.get(SINCE)
    if not text:
        return now - _USUALLY
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SweepError(
            "is no moment", place=SINCE, way_out="write a day or a moment, such as 2026-11-29"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def sweep_once(
    connections: Pool,
    jobs: Jobs,
    *,
    namespace: str,
    app_id: str,
    listed: Collection[str],
    environment: Mapping[str, str],
) -> Swept | None:
    """Ask for the graphs of users whom no message told of; None where nobody is looked up, or another worker did it.

    One worker at a time, by an advisory lock, and none within ten minutes after another. Killed in the middle, it has
    asked for some, and the next one asks for the rest.

    :param app_id: the app whose users they are
    :param listed: users whom the registry names, whose graphs are in the app's own stack
    :param environment: with `TENANTRY_USERS_URL` and `TENANTRY_USERS_SINCE`
    :raises SweepError: the users' database refuses, or a variable has another form
    :raises AwayError: it does not answer
    """
    url = environment.get(USERS_URL)
    if not url:
        return None
    begins = since(environment, now=datetime.now(UTC))
    async with (
        connection(connections) as holder,
        alone(holder, f"sweep {namespace} {app_id}") as got,
    ):
        if not got or await _was_done(holder, app_id):
            return None
        swept = await _sweep(connections, jobs, url, begins, namespace, app_id, frozenset(listed))
        await audit.note(
            holder,
            actor="sign-up sweep",
            action=_ACTION,
            object=app_id,
            outcome=f"looked up {swept.looked}, missed {swept.missed}",
        )
    return swept


async def _sweep(
    connections: Pool,
    jobs: Jobs,
    url: str,
    begins: datetime,
    namespace: str,
    app_id: str,
    listed: frozenset[str],
) -> Swept:
    looked = missed = 0
    first: datetime | None = None
    async with _users(url) as users:
        after: tuple[datetime, UUID] | None = None
        while missed < MOST and (page := await _page(users, begins, after)):
            looked += len(page)
            after = page[-1][1], page[-1][0]
            signed_up = {str(user): at for user, at in page if str(user) not in listed}
            async with transaction(connections) as one:
                new = await unknown(one, namespace, app_id, signed_up)
                # Who has waited longest comes first.
                for user in [each for each in signed_up if each in new][: MOST - missed]:
                    kept = await sign_up(
                        one,
                        jobs,
                        SignUp(
                            namespace=namespace,
                            app_id=app_id,
                            user=user,
                            source="sweep",
                            signed_up_at=signed_up[user],
                        ),
                    )
                    missed += kept.added
                    first = min(first or signed_up[user], signed_up[user])
    lag = (datetime.now(UTC) - first).total_seconds() if first else 0.0
    return Swept(looked=looked, missed=missed, lag_seconds=lag)


async def _page(
    users: psycopg.AsyncConnection[Any], begins: datetime, after: tuple[datetime, UUID] | None
) -> list[tuple[UUID, datetime]]:
    moment, last = after or (begins, None)
    found = await users.execute(
        "SELECT id, created_at FROM auth.users WHERE deleted_at IS NULL AND created_at < now() - %s "
        "AND (created_at > %s OR created_at = %s AND (%s::uuid IS NULL OR id > %s::uuid)) "
        "ORDER BY created_at, id LIMIT %s",
        (_MINUTE, moment, moment, last, last, PAGE),
    )
    return await found.fetchall()


@asynccontextmanager
async def _users(url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    import psycopg

    try:
        async with await psycopg.AsyncConnection.connect(
            url, connect_timeout=5, application_name="tenantry-sweep"
        ) as users:
            # Not as options of the connection: poolers refuse those.
            await users.set_read_only(True)
            await users.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_SECONDS}s'")
            yield users
    except psycopg.OperationalError as error:
        raise AwayError(
            f"the users' database does not answer: {reason_of(error, password=password_in(url))}",
            place=USERS_URL,
            way_out="look whether it is up and reachable; the next sweep looks again",
        ) from None
    except psycopg.ProgrammingError as error:
        # libpq's own words on a URL quote it; the server's on a statement have its code.
        what = error.diag.message_primary or "the URL is none that libpq reads"
        raise SweepError(
            f"the users cannot be read: {what}",
            place=USERS_URL,
            way_out="GRANT SELECT (id, created_at, deleted_at) ON auth.users to its role, and USAGE ON SCHEMA auth",
        ) from None


async def _was_done(one: Connection, app_id: str) -> bool:
    """Tell whether another worker did it. A little less than the pause, which is never quite the same."""
    found = await one.execute(
        "SELECT 1 FROM tenantry.audit WHERE object = %s AND action = %s AND at > now() - make_interval(secs => %s) LIMIT 1",
        (app_id, _ACTION, EVERY_SECONDS * 0.6),
    )
    return await found.fetchone() is not None
