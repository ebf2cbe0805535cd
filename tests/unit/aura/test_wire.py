from collections.abc import Iterator
from email.utils import formatdate

import httpx
import pytest

from tenantry.aura.clock import Deadline
from tenantry.aura.errors import (
    AuraAnswerError,
    AuraDeadlineError,
    AuraLostAnswerError,
    AuraThrottledError,
    AuraUnreachableError,
)
from tenantry.aura.wire import Wire, retry_after
from tenantry.provisioning import leases
from tenantry.provisioning.leases import LeaseOverError, ProcessLease
from tests.unit.aura.support import NOW, FakeTime

URL = "https://api.example/v1/instances"


def wire(answer: object, fake: FakeTime) -> Wire:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return answer

    return Wire(fake.clock, httpx.MockTransport(handle))


def send(answer: object, fake: FakeTime | None = None, seconds: float = 100) -> object:
    fake = fake or FakeTime()
    deadline = Deadline(fake.clock, seconds)
    return wire(answer, fake).send("POST", URL, deadline, shown="/instances").body


def test_json_and_text_are_answers() -> None:
    assert send(httpx.Response(202, json={"data": 1})) == {"data": 1}
    assert send(httpx.Response(200, text="fine")) == "fine"


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_without_a_connection_nothing_was_sent(error: type[httpx.TransportError]) -> None:
    with pytest.raises(AuraUnreachableError, match=r"no connection to api\.example: refused"):
        send(error("refused"))


@pytest.mark.parametrize(
    "error", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_after_the_bytes_left_the_answer_is_lost(error: type[httpx.TransportError]) -> None:
    with pytest.raises(AuraLostAnswerError, match="POST /instances: no answer: gone"):
        send(error("gone"))


def test_a_worker_whose_lease_is_over_sends_nothing_that_changes_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = ProcessLease()
    lease.begin(-1)
    monkeypatch.setattr(leases, "own", lease)
    fake = FakeTime()
    asked = wire(httpx.Response(200, json={}), fake)
    with pytest.raises(LeaseOverError):
        asked.send("POST", URL, Deadline(fake.clock, 100), shown="/instances")
    assert asked.send("GET", URL, Deadline(fake.clock, 100), shown="/instances").status == 200


def test_nothing_is_begun_after_the_deadline() -> None:
    fake = FakeTime()
    deadline = Deadline(fake.clock, 5)
    fake.now += 5
    with pytest.raises(AuraDeadlineError, match="no answer within 5 s"):
        wire(httpx.Response(200), fake).send("GET", URL, deadline, shown="/instances")


def test_a_body_that_trickles_ends_and_one_that_was_begun_gets_a_minute() -> None:
    fake = FakeTime()

    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                fake.now += 20
                yield b"x" * 20_000

    with pytest.raises(AuraLostAnswerError, match="did not end"):
        send(httpx.Response(200, stream=Trickle()), fake, seconds=10)
    assert 60 < fake.now - NOW < 120


def test_a_redirect_is_not_followed() -> None:
    moved = httpx.Response(308, headers={"location": "https://other.example/v1?token=x"})
    with pytest.raises(
        AuraAnswerError, match=r"308 moved to https://other.example/v1: set AURA_BASE_URL"
    ):
        send(moved)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"error": "to/ken of a client/secret aWQ6YSBjbGllbnQvc2VjcmV0"}),
        httpx.Response(403, text="to/ken, to%2Fken, a client/secret"),
        httpx.Response(302, headers={"location": "https://other.example/to%2Fken"}),
        httpx.LocalProtocolError("Illegal header value b'Bearer to/ken'"),
    ],
)
def test_what_a_refusal_repeats_of_the_credentials_is_not_shown(answer: object) -> None:
    fake = FakeTime()
    with pytest.raises((AuraAnswerError, AuraLostAnswerError)) as caught:
        wire(answer, fake).send(
            "POST",
            URL,
            Deadline(fake.clock, 100),
            shown="/instances",
            headers={"Authorization": "Bearer to/ken"},
            auth=("id", "a client/secret"),
        )
    assert "…" in str(caught.value)
    for secret in ("to/ken", "to%2Fken", "a client/secret", "aWQ6YSBjbGllbnQvc2VjcmV0"):
        assert secret not in str(caught.value)


def test_an_error_has_the_request_id_and_when_to_come_back() -> None:
    answer = httpx.Response(
        429, headers={"x-request-id": "r-1", "retry-after": "7"}, json={"error": "slow"}
    )
    with pytest.raises(AuraThrottledError, match=r"429 slow \(request r-1\)") as caught:
        send(answer)
    assert caught.value.refusal.retry_after == 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 12 ", 12.0),
        (formatdate(NOW + 30, usegmt=True), 30.0),
        (formatdate(NOW - 30, usegmt=True), 0.0),
        ("soon", None),
        ("", None),
        ("-3", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(httpx.Headers({"retry-after": value}), NOW) == seconds
