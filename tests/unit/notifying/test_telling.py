"""Receivers on real sockets: a web server, and a mail server with TLS."""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_string, policy
from pathlib import Path
from typing import Any

import pytest
import trustme
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tenantry.notifying.failures import ChannelSettingsError
from tenantry.notifying.notification import Notification
from tenantry.notifying.signatures import secret_of, verify
from tenantry.notifying.telling import Delivery, Notifier, mark_of
from tenantry.registry.notices import Mail, Notify, Slack, Webhook
from tenantry.retries import RetryPolicy
from tests.logs import logged
from tests.mail_server import MailServer, mail_server
from tests.serving import served

NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PASSWORD = "pass-the-mail-7"
PATH = "/services/T0000/B0000/secret-of-the-channel"
QUICK = RetryPolicy(attempts=3, first_delay=10, jitter=0)
FAILED = Notification(
    "failed", "acme/web", "no capacity: try later", datetime(2026, 11, 29, 12, tzinfo=UTC), "op-1"
)


@dataclass
class Hook:
    """A receiver: what it answers, one after the other and then 200, and what it got."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.got.append((scope["path"], dict(request.headers), await request.body()))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        await Response(b"x" * 1000, status, headers)(scope, receive, send)


@pytest.fixture(scope="module")
def _served_hook() -> Iterator[tuple[Hook, str]]:
    hook = Hook()
    with served(hook) as url:
        yield hook, url


@pytest.fixture
def hook(_served_hook: tuple[Hook, str]) -> Hook:
    _served_hook[0].answers, _served_hook[0].got = [], []
    return _served_hook[0]


@pytest.fixture
def url(_served_hook: tuple[Hook, str]) -> str:
    return _served_hook[1]


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No test leaves a secret in a log, those of the libraries included."""
    caplog.set_level(logging.DEBUG)
    yield
    for secret in ("secret-of-the-channel", NEW, NEW.removeprefix("whsec_"), PASSWORD):
        assert secret not in logged(caplog)


def told(*receivers: Notify, **changed: str) -> list[Delivery]:
    variables = {"HOOK": NEW, "PASSWORD": PASSWORD} | changed
    deliveries = asyncio.run(Notifier(receivers, variables, policy=QUICK).tell(FAILED))
    for each in deliveries:
        assert each.mark in {mark_of(receiver) for receiver in receivers}
        # Whether it may pass: where it was tried again, which is said by the attempts.
        assert each.may_pass == bool(each.failure and each.attempts == QUICK.attempts)
    return [Delivery(each.receiver, each.attempts, each.failure) for each in deliveries]


def webhook(url: str, **changed: Any) -> Webhook:
    return Webhook(**{"url": f"{url}/hook", "secret_from": "HOOK"} | changed)


def test_a_url_gets_a_document_that_it_can_verify(hook: Hook, url: str) -> None:
    assert told(webhook(url)) == [Delivery("notify[0]", 1)]
    ((path, headers, body),) = hook.got
    assert (path, headers["content-type"]) == ("/hook", "application/json")
    secrets = [secret_of(NEW, "HOOK")]
    assert verify(secrets, headers, body, now=time.time()) == FAILED.identity
    assert json.loads(body) == FAILED.document()


def test_two_secrets_sign_while_one_takes_the_place_of_the_other(hook: Hook, url: str) -> None:
    told(webhook(url), HOOK=f"{NEW} {OLD}")
    ((_, headers, body),) = hook.got
    for text in (NEW, OLD):
        assert verify([secret_of(text, "HOOK")], headers, body, now=time.time())


def test_a_channel_gets_its_json_and_its_url_stays_secret(
    hook: Hook, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = [(404, {})]
    (delivery,) = told(Slack(slack_from="SLACK"), SLACK=f"{url}{PATH}")
    assert delivery == Delivery("notify[0]", 1, "it answers 404")
    assert "notify[0]: not told that acme/web failed, after attempt 1" in caplog.text
    ((path, headers, body),) = hook.got
    assert path == PATH
    assert json.loads(body) == {"text": "*acme/web failed*\nno capacity: try later"}
    assert "webhook-signature" not in headers


def test_who_is_not_reached_is_told_of_without_the_url(caplog: pytest.LogCaptureFixture) -> None:
    (delivery,) = told(Slack(slack_from="SLACK"), SLACK=f"http://127.0.0.1:9{PATH}")
    assert delivery.attempts == 3
    assert delivery.failure
    assert "secret-of-the-channel" not in delivery.failure
    assert "not told" in caplog.text


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_passes_is_tried_again_with_the_same_id(hook: Hook, url: str, status: int) -> None:
    hook.answers = [(status, {}), (status, {})]
    assert told(webhook(url)) == [Delivery("notify[0]", 3)]
    assert {headers["webhook-id"] for _, headers, _ in hook.got} == {FAILED.identity}


def test_it_is_tried_three_times(hook: Hook, url: str) -> None:
    hook.answers = [(503, {})] * 9
    assert told(webhook(url)) == [Delivery("notify[0]", 3, "it answers 503")]
    assert len(hook.got) == 3


@pytest.mark.parametrize("status", [301, 307, 400, 401, 410])
def test_a_refusal_is_not_repeated_and_nobody_is_sent_elsewhere(
    hook: Hook, url: str, status: int
) -> None:
    hook.answers = [(status, {"location": f"{url}/elsewhere"})]
    assert told(webhook(url)) == [Delivery("notify[0]", 1, f"it answers {status}")]
    assert len(hook.got) == 1


def test_a_receiver_says_when_to_come_back(hook: Hook, url: str) -> None:
    hook.answers = [(429, {"retry-after": "1"}), (429, {"retry-after": "soon"})]
    began = time.monotonic()
    assert told(webhook(url)) == [Delivery("notify[0]", 3)]
    assert 1 <= time.monotonic() - began < 5


def test_each_is_told_what_it_wants_and_one_that_fails_stops_nobody(hook: Hook, url: str) -> None:
    hook.answers = [(400, {})]
    deliveries = told(
        webhook(url, on=("ready", "deleted")),
        webhook(url, on=("failed",)),
        Slack(slack_from="SLACK"),
        Mail(host="127.0.0.1", port=9, sender="a@b.example", to=("c@d.example",)),
        SLACK=f"{url}{PATH}",
    )
    assert [each.receiver for each in deliveries] == ["notify[1]", "notify[2]", "notify[3]"]
    assert sorted(each.failure is None for each in deliveries) == [False, False, True]


def test_what_nobody_expected_ends_no_run() -> None:
    # A header cannot hold this, which the registry refuses, and the library says so in its own way.
    mail = Mail(host="127.0.0.1", port=9, sender="a\n@b.example", to=("c@d.example",))
    assert told(mail) == [Delivery("notify[0]", 1, "unexpected ValueError")]


@pytest.mark.parametrize(
    ("receiver", "variables", "reason"),
    [
        (webhook("https://e.example"), {"HOOK": ""}, r"notify\[0\]: HOOK: is not set: set it"),
        (webhook("https://e.example"), {"HOOK": "topsecret"}, r"notify\[0\]: HOOK: is no secret"),
        (Slack(slack_from="SLACK"), {}, "SLACK: is not set"),
        (Slack(slack_from="SLACK"), {"SLACK": "http://e.example/topsecret"}, "is not an https URL"),
        (
            Mail(host="h", port=25, sender="a@b", to=("c@d",), user="u", password_from="NONE"),
            {},
            "NONE: is not set",
        ),
    ],
)
def test_a_variable_that_is_wrong_is_said_before_anything(
    receiver: Notify, variables: dict[str, str], reason: str
) -> None:
    with pytest.raises(ChannelSettingsError, match=reason) as caught:
        told(receiver, **variables)
    assert "topsecret" not in str(caught.value)


def test_no_secret_is_shown_by_what_holds_it() -> None:
    notifier = Notifier(
        [webhook("https://e.example"), Slack(slack_from="SLACK")],
        {"HOOK": NEW, "SLACK": f"https://e.example{PATH}"},
    )
    assert "secret-of-the-channel" not in repr(vars(notifier))
    assert repr(secret_of(NEW, "HOOK")) not in repr(vars(notifier))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """What a server shows, and what its clients verify it with."""
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context, file


@pytest.fixture
def post(tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
    with mail_server(MailServer(tls[0], {"tenantry": PASSWORD})) as server:
        yield server


def mail(server: MailServer, **changed: Any) -> Mail:
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "sender": "Platform <platform@acme.example>",
        "to": ("ops@acme.example", "ann@acme.example"),
        "user": "tenantry",
        "password_from": "PASSWORD",
    }
    return Mail(**given | changed)


def test_a_mail_is_sent_over_tls_by_who_logs_in(post: MailServer) -> None:
    assert told(mail(post)) == [Delivery("notify[0]", 1)]
    assert post.commands[:2] == ["EHLO", "STARTTLS"]
    assert "AUTH (TLS)" in post.commands
    assert post.commands.count("RCPT (TLS)") == 2
    got = message_from_string(post.mails[0], policy=policy.default)
    assert got["subject"] == "Tenantry: acme/web failed"
    assert got["message-id"] == f"<{FAILED.identity}@acme.example>"
    assert got["auto-submitted"] == "auto-generated"
    assert got["to"] == "ops@acme.example, ann@acme.example"
    body = got.get_content()
    assert "no capacity: try later" in body
    assert "Operation op-1" in body


def test_a_server_without_tls_is_for_this_machine_alone(
    post: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.tls, post.logins = None, {}
    nobody = {"user": None, "password_from": None}
    assert told(mail(post, **nobody)) == [Delivery("notify[0]", 1)]
    monkeypatch.setattr("tenantry.notifying.mailing.on_this_machine", lambda _: False)
    (delivery,) = told(mail(post, **nobody))
    assert delivery.attempts == 1
    assert "STARTTLS" in (delivery.failure or "")
    assert len(post.mails) == 1


def test_a_certificate_that_is_not_good_is_refused(
    post: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    (delivery,) = told(mail(post))
    assert "certificate is not good" in (delivery.failure or "")
    assert "AUTH" not in " ".join(post.commands)


def test_a_password_that_is_wrong_is_not_repeated(post: MailServer) -> None:
    post.logins = {"tenantry": "another"}
    (delivery,) = told(mail(post))
    # This server repeats the command, and with it the password in base64.
    assert delivery == Delivery("notify[0]", 1, "it answers 535 to user and password")


@pytest.mark.parametrize(
    ("answers", "delivery"),
    [
        ({"MAIL": ["451 later", "421 later"]}, Delivery("notify[0]", 3)),
        ({"EHLO": [""]}, Delivery("notify[0]", 2)),
        ({"MAIL": ["550 not from you"]}, Delivery("notify[0]", 1, "it answers 550 not from you")),
        (
            {"RCPT": ["550 nobody", "550 nobody"]},
            Delivery("notify[0]", 1, "it answers 550 to every address"),
        ),
        ({"RCPT": ["550 nobody"]}, Delivery("notify[0]", 1, "1 address of 2 refused")),
    ],
)
def test_a_server_that_will_not_is_asked_again_where_that_may_help(
    post: MailServer, answers: dict[str, list[str]], delivery: Delivery
) -> None:
    post.answers = answers
    assert told(mail(post)) == [delivery]


def test_a_receiver_has_one_mark_wherever_it_stands_and_who_was_told_is_passed_over(
    hook: Hook, url: str
) -> None:
    first, other = webhook(url), webhook(f"{url}/other")
    assert mark_of(first) == mark_of(webhook(url, on=("failed",))) != mark_of(other)
    notifier = Notifier([other, first], {"HOOK": NEW}, policy=QUICK)
    (delivery,) = asyncio.run(notifier.tell(FAILED, [mark_of(first)]))
    assert (delivery.receiver, delivery.mark) == ("notify[0]", mark_of(other))
    assert [path for path, _, _ in hook.got] == ["/other/hook"]
