"""Tells those whom the registry names (`notify`). Who cannot be told is said in the log, and stops nobody.

Each receiver is tried up to three times, the second after about 2 s and the third after about 10 s, or as late as it
asks for, up to 30 s. A message may arrive twice where an answer was lost: both have one id.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from tenantry.errors import TenantryError
from tenantry.notifying import signatures
from tenantry.notifying.failures import BusyReceiverError, ChannelSettingsError
from tenantry.registry.notices import Mail, Notify, Slack, Webhook
from tenantry.retries import RetryPolicy
from tenantry.urls import is_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import httpx

    from tenantry.notifying.notification import Notification
    from tenantry.registry.notices import Occasion

POLICY: Final = RetryPolicy(attempts=3, first_delay=2_000, factor=5, cap=30_000)
LONGEST_WAIT: Final = 30.0
"""Seconds that a receiver may ask for between two attempts."""
_log: Final = logging.getLogger("tenantry.notifying")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message to one receiver."""

    receiver: str
    """`notify[0]`, as in the registry."""
    attempts: int
    failure: str | None = None
    """Why it was not told; None where it was."""
    mark: str = ""
    """Names the receiver whatever its place in the list: `mark_of`."""
    may_pass: bool = False
    """Whether it may take the message later."""


def mark_of(receiver: Notify) -> str:
    """Name a receiver by where it is, not by its place in the list and not by what it is told of."""
    return hashlib.sha256(receiver.model_dump_json(exclude={"on"}).encode()).hexdigest()[:16]


class _Channel(Protocol):
    async def send(self, client: httpx.AsyncClient, notification: Notification) -> None: ...


@dataclass(frozen=True, slots=True)
class _WebhookChannel:
    url: str
    secrets: tuple[bytes, ...] = field(repr=False)

    async def send(self, client: httpx.AsyncClient, notification: Notification) -> None:
        body = json.dumps(notification.document()).encode()
        headers = signatures.sign(self.secrets, notification.identity, int(time.time()), body)
        from tenantry.notifying import posting

        await posting.post(client, self.url, body, headers)


@dataclass(frozen=True, slots=True)
class _SlackChannel:
    url: str = field(repr=False)

    async def send(self, client: httpx.AsyncClient, notification: Notification) -> None:
        from tenantry.notifying import posting

        await posting.post(client, self.url, json.dumps(notification.slack()).encode())


@dataclass(frozen=True, slots=True)
class _MailChannel:
    mail: Mail
    password: str = field(repr=False)

    async def send(self, client: httpx.AsyncClient, notification: Notification) -> None:  # noqa: ARG002 (the protocol's)
        from tenantry.notifying import mailing

        await asyncio.to_thread(mailing.send, notification, self.mail, self.password)


class Notifier:
    """Tells each receiver what it wants to know."""

    def __init__(
        self,
        receivers: Sequence[Notify],
        environment: Mapping[str, str],
        *,
        policy: RetryPolicy = POLICY,
        passed_over: Callable[[str], None] | None = None,
    ) -> None:
        """Read the secrets, and send nothing yet.

        :param receivers: `notify` of the registry
        :param environment: has the variables that they name. That of a webhook's secret may hold two, with a space
            between, while one takes the place of the other.
        :param passed_over: is told in a line of each receiver that cannot be told; the others are
        :raises ChannelSettingsError: without that: a variable is not set, or holds something else; a line for each
        """
        self._policy = policy
        self._channels: list[tuple[str, str, frozenset[Occasion], _Channel]] = []
        wrong = []
        for index, receiver in enumerate(receivers):
            name = f"notify[{index}]"
            try:
                channel = _channel(receiver, environment, name)
            except TenantryError as error:
                wrong.append(str(error))
            else:
                self._channels.append((name, mark_of(receiver), frozenset(receiver.on), channel))
        if passed_over:
            for line in wrong:
                passed_over(line)
        elif wrong:
            raise ChannelSettingsError("\n".join(wrong))

    async def tell(self, notification: Notification, told: Collection[str] = ()) -> list[Delivery]:
        """Send a notification to all that want its kind, at once, and say what became of it. Nothing is raised.

        :param told: the marks of receivers that have it
        """
        wanted = [
            (name, mark, channel)
            for name, mark, kinds, channel in self._channels
            if notification.kind in kinds and mark not in told
        ]
        if not wanted:
            return []
        # Imported here: most runs tell nobody.
        from tenantry.notifying import posting

        async with posting.client() as client:
            return list(
                await asyncio.gather(
                    *(self._deliver(client, *each, notification) for each in wanted)
                )
            )

    async def _deliver(
        self,
        client: httpx.AsyncClient,
        name: str,
        mark: str,
        channel: _Channel,
        notification: Notification,
    ) -> Delivery:
        attempts = 0
        failure = ""
        may_pass = False
        while attempts < self._policy.attempts:
            attempts += 1
            try:
                await channel.send(client, notification)
            except BusyReceiverError as error:
                failure, may_pass = str(error), True
                if attempts < self._policy.attempts:
                    asked = min(error.seconds, LONGEST_WAIT)
                    await asyncio.sleep(max(self._policy.pause(attempts), asked))
            except TenantryError as error:
                failure, may_pass = str(error), False
                break
            except Exception as error:  # noqa: BLE001 (nobody's run ends because a channel is broken)
                failure, may_pass = f"unexpected {type(error).__name__}", False
                break
            else:
                return Delivery(name, attempts, mark=mark)
        _log.warning(
            "%s: not told that %s, after attempt %d: %s",
            name,
            notification.title,
            attempts,
            failure,
        )
        return Delivery(name, attempts, failure, mark, may_pass)


def _channel(receiver: Notify, environment: Mapping[str, str], name: str) -> _Channel:
    match receiver:
        case Webhook():
            texts = _variable(environment, receiver.secret_from, name).split()
            place = f"{name}: {receiver.secret_from}"
            return _WebhookChannel(
                receiver.url, tuple(signatures.secret_of(text, place) for text in texts)
            )
        case Slack():
            url = _variable(environment, receiver.slack_from, name)
            if not is_safe(url):
                raise ChannelSettingsError(
                    "is not an https URL",
                    place=f"{name}: {receiver.slack_from}",
                    way_out="give the URL of the channel's incoming webhook",
                )
            return _SlackChannel(url)
        case Mail():
            password = (
                _variable(environment, receiver.password_from, name)
                if receiver.password_from
                else ""
            )
            return _MailChannel(receiver, password)


def _variable(environment: Mapping[str, str], variable: str, name: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise ChannelSettingsError(
            "is not set", place=f"{name}: {variable}", way_out="set it, or remove the receiver"
        )
    return value
