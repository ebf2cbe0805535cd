"""Waiting until an instance is what it is to be: running and answering a query, or paused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tenantry.aura.errors import (
    AuraConflictError,
    AuraDeadlineError,
    AuraError,
    AuraLostAnswerError,
    AuraNotFoundError,
    AuraServerError,
    AuraThrottledError,
    AuraUnreachableError,
    InstanceError,
    UnfinishedError,
)
from tenantry.aura.models import DESTROYING, FAILED, PAUSED, RUNNING
from tenantry.aura.polling import looks
from tenantry.aura.presence import GRACE_SECONDS
from tenantry.aura.query import Connection, QueryClient, QueryError, QueryUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.aura.client import AuraClient
    from tenantry.aura.clock import Deadline
    from tenantry.aura.models import Instance

READY: Final = "ready"
IS_PAUSED: Final = "paused"
_UNAUTHORIZED: Final = 401
_PASSES: Final = (
    AuraLostAnswerError,
    AuraServerError,
    AuraThrottledError,
    AuraUnreachableError,
)


@dataclass(frozen=True)
class Awaited:
    """An instance, and what is waited for."""

    target: str
    instance_id: str
    connection_url: str
    username: str
    password: str = field(repr=False)
    memory: str
    """The size that it is to have: it may run on with the old one for a while."""
    paused: bool


def wait_until_ready(
    client: AuraClient,
    awaited: Awaited,
    *,
    answers: Callable[[Connection], None] | None = None,
) -> str:
    """Wait, pause or resume until the instance is as it is to be; return its connection URL.

    :param answers: raises unless a query is answered; for tests
    :raises InstanceError: it failed, is gone, or does not take the password
    :raises UnfinishedError: it is not ready in time. The instance is kept, and the next run goes on waiting.
    """
    wait = _Wait(client, awaited, answers or _answers)
    for deadline in looks(client.settings.polling, client.clock):
        try:
            url = wait.look(deadline)
        except _PASSES as error:
            wait.seen = str(error)
            continue
        except AuraDeadlineError as error:
            wait.seen = str(error)
            break
        if url is not None:
            return url
    raise UnfinishedError(
        f"{awaited.target}: instance {awaited.instance_id} is not {IS_PAUSED if awaited.paused else READY} after "
        f"{client.settings.polling.deadline:.0f} s ({wait.seen}): it is kept, and tenantry up goes on waiting"
    )


class _Wait:
    def __init__(
        self, client: AuraClient, awaited: Awaited, answers: Callable[[Connection], None]
    ) -> None:
        self.seen = "Aura does not show it"
        self._client = client
        self._awaited = awaited
        self._answers = answers
        self._begun = client.clock.elapsed()
        self._refused_since: float | None = None

    def look(self, deadline: Deadline) -> str | None:
        """Return the URL when all is well; take the next step otherwise."""
        try:
            found = self._client.instance(self._awaited.instance_id, deadline=deadline)
        except AuraNotFoundError as error:
            if self._client.clock.elapsed() - self._begun < GRACE_SECONDS:
                return None
            raise self._failed(f"{error}: tenantry up -- --refresh makes it anew") from None
        self.seen = f"status {found.status}"
        if found.status == FAILED:
            raise self._failed("loading failed: look at it in Aura's console; it is kept")
        if found.status == DESTROYING:
            raise self._failed("is being destroyed: tenantry up -- --refresh when it is gone")
        return (
            self._to_pause(found, deadline)
            if self._awaited.paused
            else self._to_run(found, deadline)
        )

    def _to_pause(self, found: Instance, deadline: Deadline) -> str | None:
        if found.status in PAUSED:
            return found.connection_url or self._awaited.connection_url
        if found.status == RUNNING:
            self._begin(lambda: self._client.pause_instance(found.id, deadline=deadline))
        return None

    def _to_run(self, found: Instance, deadline: Deadline) -> str | None:
        if found.status in PAUSED:
            self._begin(lambda: self._client.resume_instance(found.id, deadline=deadline))
        if found.status != RUNNING:
            return None
        if found.memory not in {None, self._awaited.memory}:
            self.seen = f"status {found.status}, memory still {found.memory}"
            return None
        url = found.connection_url or self._awaited.connection_url
        return url if url and self._ask_database(url) else None

    def _begin(self, call: Callable[[], None]) -> None:
        try:
            call()
        except AuraConflictError as error:
            self.seen = str(error)  # it has begun something else: seen at the next look

    def _ask_database(self, url: str) -> bool:
        awaited = self._awaited
        try:
            self._answers(Connection(url, awaited.username, awaited.password))
        except QueryError as error:
            self.seen = f"running, and {error}"
            if error.status == _UNAUTHORIZED:
                self._count_refusal(error)
            return False
        except QueryUnreachableError as error:
            self.seen = f"running, and {error}"
            return False
        except ValueError as error:
            raise self._failed(f"its URL is {error}") from None
        return True

    def _count_refusal(self, error: AuraError) -> None:
        # A new instance may refuse its own password for a moment; asking on would end in a ban.
        now = self._client.clock.elapsed()
        self._refused_since = self._refused_since or now
        if now - self._refused_since >= GRACE_SECONDS:
            raise self._failed(
                f"does not take its user and password ({error}): if the password was changed by hand, take it over anew with the right one"
            ) from None

    def _failed(self, what: str) -> InstanceError:
        awaited = self._awaited
        return InstanceError(f"{awaited.target}: instance {awaited.instance_id}: {what}")


def _answers(connection: Connection) -> None:
    with QueryClient(connection) as database:
        database.check()
