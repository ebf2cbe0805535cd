from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Any

import pytest

from localcloud.faults.orders import Order
from localcloud.faults.sessions import CutError, SessionFaults, check_wake
from localcloud.faults.standing import Faults
from localcloud.postgres.refusal import RefusedError

NAMES = ("ep-1", "127.64.0.1")
DROP_AFTER = {"kind": "drop", "when": "after"}


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", 4 + len(body)) + body


def query(statement: str) -> bytes:
    return message(b"Q", statement.encode() + b"\0")


def parse(name: str, statement: str) -> bytes:
    return message(b"P", f"{name}\0{statement}\0".encode() + b"\0\0")


def bind(portal: str, name: str) -> bytes:
    return message(b"B", f"{portal}\0{name}\0".encode() + bytes(6))


def execute(portal: str) -> bytes:
    return message(b"E", f"{portal}\0".encode() + bytes(4))


SYNC = message(b"S")
DONE, READY = message(b"C", b"INSERT 0 1\0"), message(b"Z", b"I")


@dataclass
class Session:
    """A session whose server is a list of what reached it."""

    faults: Faults = field(default_factory=Faults)
    reached: list[bytes] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        self.session = SessionFaults(self.faults, NAMES, self._kill)

    async def _kill(self) -> None:
        self.kills += 1

    def order(self, match: str, fault: dict[str, Any], **fields: Any) -> None:
        asked = {"api": "postgres", "match": match, "fault": fault} | fields
        self.faults.place(Order.model_validate(asked))

    def send(self, *messages: bytes) -> bytes:
        """Send messages at once, and return what reached the server of them."""
        before = len(self.reached)
        asyncio.run(self.session.upward(b"".join(messages), self.reached.append))
        return b"".join(self.reached[before:])

    def hear(self, *messages: bytes) -> bytes:
        """Let the server say something, and return what reaches the client."""
        return asyncio.run(self.session.downward(b"".join(messages)))

    def hits(self) -> int:
        return len(self.faults.injected())


def test_without_orders_everything_passes() -> None:
    session = Session()
    assert session.send(query("SELECT 1")) == query("SELECT 1")
    assert session.hear(DONE, READY) == DONE + READY


def test_a_statement_that_is_dropped_before_does_not_reach_the_server() -> None:
    session = Session()
    session.order("* insert*", {"kind": "drop"})
    assert session.send(query("SELECT 1")) == query("SELECT 1")
    for sent in (query("INSERT 1"), parse("", "INSERT 1")):
        session.order("* insert*", {"kind": "drop"})
        before = list(session.reached)
        with pytest.raises(CutError):
            session.send(sent, SYNC)
        assert session.reached == before


def test_a_statement_that_is_dropped_after_is_cut_when_the_server_is_done_with_it() -> None:
    session = Session()
    session.order("* insert*", DROP_AFTER)
    assert session.send(query("INSERT 1")) == query("INSERT 1")
    assert session.hear(DONE) == b""
    assert session.hits() == 0
    with pytest.raises(CutError):
        session.hear(READY)
    assert session.hits() == 1


def test_a_prepared_statement_is_hit_when_it_is_executed() -> None:
    session = Session()
    session.order("* insert*", DROP_AFTER)
    session.send(parse("s", "INSERT 1"), SYNC)
    assert session.hear(message(b"1"), READY) == message(b"1") + READY
    session.send(parse("", "SELECT 1"), bind("", ""), execute(""), SYNC)
    assert session.hear(DONE, READY) == DONE + READY
    session.send(bind("p", "s"), execute("p"), SYNC)
    assert session.hits() == 0
    with pytest.raises(CutError):
        session.hear(message(b"2"), DONE, READY)


def test_a_prepared_statement_is_hit_though_its_order_was_taken_back_meanwhile() -> None:
    session = Session()
    session.order("* insert*", DROP_AFTER)
    session.send(parse("s", "INSERT 1"), SYNC)
    session.faults.withdraw()
    session.send(bind("", "s"), execute(""), SYNC)
    with pytest.raises(CutError):
        session.hear(DONE, READY)


def test_another_statement_under_the_same_name_is_not_hit() -> None:
    session = Session()
    session.order("* insert*", DROP_AFTER)
    session.send(parse("", "INSERT 1"), SYNC)
    session.send(parse("", "SELECT 1"), bind("", ""), execute(""), SYNC)
    assert session.hear(DONE, READY) == DONE + READY


def test_a_copy_gets_the_servers_leave_before_its_answer_is_withheld() -> None:
    session = Session()
    session.order("* copy*", DROP_AFTER)
    session.send(query("COPY t FROM STDIN"))
    go_on = message(b"G", b"\0\0\0")
    assert session.hear(go_on) == go_on
    with pytest.raises(CutError):
        session.hear(DONE, READY)


def test_a_delayed_answer_comes_whole_and_what_follows_is_not_touched() -> None:
    session = Session()
    session.order("* insert*", {"kind": "delay", "seconds": 0, "when": "after"})
    session.send(query("INSERT 1"))
    notice = message(b"N", b"\0")
    assert session.hear(DONE) == b""
    assert session.hear(READY + notice[:3]) == DONE + READY + notice[:3]
    assert session.hear(notice[3:]) == notice[3:]


def test_a_server_that_is_to_die_at_a_statement_does_not_get_it() -> None:
    session = Session()
    session.order("* alter role*", {"kind": "die"})
    assert session.send(query("ALTER ROLE x")) == b""
    assert session.kills == 1


@pytest.mark.parametrize(
    ("kind", "sqlstate", "words"),
    [
        ("refuse", "57P03", "starting up"),
        ("too_many_connections", "53300", "too many clients"),
    ],
)
def test_a_new_session_is_refused_in_postgresqls_words(
    kind: str, sqlstate: str, words: str
) -> None:
    session = Session()
    session.order("ep-1 connect", {"kind": kind})
    with pytest.raises(RefusedError, match=words) as caught:
        asyncio.run(session.session.connecting())
    assert caught.value.sqlstate == sqlstate
    assert asyncio.run(session.session.connecting()) is None


def test_a_new_session_can_be_cut_before_or_after_it_has_its_server() -> None:
    session = Session()
    session.order("* connect", {"kind": "drop"})
    session.order("* connect", DROP_AFTER)
    with pytest.raises(CutError):
        asyncio.run(session.session.connecting())
    late = asyncio.run(session.session.connecting())
    assert late is not None
    assert session.hits() == 1
    with pytest.raises(CutError):
        asyncio.run(session.session.connected(late))
    assert session.hits() == 2


def test_a_server_that_does_not_wake_is_said_in_neons_words() -> None:
    session = Session()
    session.order("ep-1 connect", {"kind": "no_wake"})
    assert asyncio.run(session.session.connecting()) is None
    check_wake(session.faults, ("ep-2", "127.64.0.2"))
    with pytest.raises(RefusedError, match="Couldn't connect to compute node"):
        check_wake(session.faults, NAMES)
    check_wake(session.faults, NAMES)
