from __future__ import annotations

import asyncio
from typing import Any

from localcloud.faults.orders import Api, Order, Record
from localcloud.faults.standing import Faults, Injection


def order(match: str = "GET /a", *, fault: dict[str, Any] | None = None, **fields: Any) -> Order:
    asked = {"api": "neon", "match": match, "fault": fault or {"kind": "drop"}} | fields
    return Order.model_validate(asked)


def ask(faults: Faults, path: str = "/a", method: str = "GET") -> Injection | None:
    injection = faults.request(Api.NEON, method, path, "id")
    if injection is not None:
        faults.note(injection)
    return injection


def hits(faults: Faults, times: int, path: str = "/a") -> list[int]:
    """Return which of so many requests were hit, counted from 1."""
    return [number for number in range(1, times + 1) if ask(faults, path)]


def test_skip_and_count_choose_the_requests() -> None:
    faults = Faults()
    standing = faults.place(order(skip=2, count=3))
    assert hits(faults, 8) == [3, 4, 5]
    assert (standing.seen, standing.hits, standing.left) == (8, 3, 0)


def test_without_a_count_an_order_hits_until_it_is_taken_back() -> None:
    faults = Faults()
    standing = faults.place(order(count=None))
    assert hits(faults, 3) == [1, 2, 3]
    assert standing.left is None
    assert faults.withdraw(standing.number) == 1
    assert hits(faults, 3) == []
    assert faults.withdraw(standing.number) == 0


def test_requests_that_do_not_match_are_not_counted() -> None:
    faults = Faults()
    faults.place(order(skip=1))
    assert hits(faults, 5, "/b") == []
    assert hits(faults, 5) == [2]


def test_the_older_order_has_a_request_and_the_other_keeps_its_count() -> None:
    faults = Faults()
    first, second = faults.place(order()), faults.place(order(count=2))
    struck = [injection.standing for _ in range(4) if (injection := ask(faults))]
    assert struck == [first, second, second]


def test_a_seed_makes_chance_repeatable_whatever_other_orders_do() -> None:
    def chosen(seed: int, *, beside: bool) -> list[int]:
        faults = Faults()
        if beside:
            faults.place(order("* /**", count=5, skip=3))
        standing = faults.place(order(probability=0.3, count=None, seed=seed))
        numbers = []
        for number in range(1, 101):
            injection = ask(faults)
            if injection and injection.standing is standing:
                numbers.append(number)
        return numbers

    alone = chosen(7, beside=False)
    assert 15 < len(alone) < 45
    assert chosen(7, beside=False) == alone
    assert chosen(8, beside=False) != alone
    assert set(alone) - {4, 5, 6, 7, 8} == set(chosen(7, beside=True))


def test_an_order_without_a_seed_is_given_one_that_is_shown() -> None:
    faults = Faults()
    first = faults.place(order(probability=0.5, count=None))
    again = Faults()
    again.place(order(probability=0.5, count=None, seed=first.document()["seed"]))
    assert hits(faults, 50) == hits(again, 50)


def test_a_record_replayed_hits_the_same_requests() -> None:
    faults = Faults()
    faults.place(order(skip=1))
    faults.place(order("* /**", probability=0.4, count=None, seed=3))
    before = hits(faults, 30)
    record = {"injected": faults.injected()}
    again = Faults()
    for each in Record.model_validate(record).orders():
        again.place(each)
    assert hits(again, 30) == before
    shown = [(entry["number"], entry["path"], entry["fault"]) for entry in again.injected()]
    assert shown == [(each["number"], each["path"], each["fault"]) for each in record["injected"]]


def test_the_record_says_what_was_hit_and_nothing_in_quotes() -> None:
    faults = Faults()
    faults.place(order("* alter role*", api="postgres"))
    names = ("ep-1", "127.64.0.1")
    injection = faults.statement(names, "ALTER ROLE a PASSWORD 's3cret'")
    assert injection is not None
    faults.note(injection)
    (entry,) = faults.injected()
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "number": 1,
        "order": 1,
        "api": "postgres",
        "match": "* alter role*",
        "nth": 1,
        "endpoint": "ep-1",
        "host": "127.64.0.1",
        "statement": "ALTER ROLE a PASSWORD …",
        "fault": {"kind": "drop", "when": "before"},
        "request_id": None,
    }


def test_a_session_and_a_wake_are_hit_by_orders_of_their_own() -> None:
    faults = Faults()
    faults.place(order("* connect", api="postgres", fault={"kind": "no_wake"}))
    faults.place(order("ep-1 connect", api="postgres", fault={"kind": "refuse"}))
    faults.place(order("* *", api="postgres", fault={"kind": "die"}))

    def kind(injection: Injection | None) -> str | None:
        return injection.fault.kind if injection else None

    assert kind(faults.connect(("ep-2", "h2"))) is None
    assert kind(faults.connect(("ep-1", "h1"))) == "refuse"
    assert kind(faults.wake(("ep-2", "h2"))) == "no_wake"
    assert kind(faults.statement(("ep-2", "h2"), "SELECT 1")) == "die"


def test_the_record_is_waited_for() -> None:
    async def scenario() -> None:
        faults = Faults()
        faults.place(order(count=None))
        assert await faults.news(0, 0.01) == []
        waiting = asyncio.create_task(faults.news(0, 60))
        await asyncio.sleep(0)
        ask(faults)
        assert [entry["number"] for entry in await waiting] == [1]
        waiting = asyncio.create_task(faults.news(1, 60))
        await asyncio.sleep(0)
        ask(faults)
        assert [entry["number"] for entry in await waiting] == [2]
        assert len(await faults.news(0, 60)) == 2

    asyncio.run(scenario())


def test_what_is_held_goes_on_or_is_cut_when_the_order_is_taken_back() -> None:
    async def scenario() -> None:
        faults = Faults()
        for then in ("go", "drop"):
            standing = faults.place(order(fault={"kind": "hold", "then": then}))
            injection = ask(faults)
            assert injection is not None
            held = asyncio.create_task(faults.hold(injection))
            await asyncio.sleep(0)
            assert standing.held == 1
            faults.withdraw()
            assert await held is (then == "go")
            assert standing.held == 0

    asyncio.run(scenario())


def test_an_end_releases_everybody_and_cuts_what_is_held() -> None:
    async def scenario() -> None:
        faults = Faults()
        faults.place(order(fault={"kind": "hold"}))
        injection = ask(faults)
        assert injection is not None
        held = asyncio.create_task(faults.hold(injection))
        waiting = asyncio.create_task(faults.news(1, 60))
        await asyncio.sleep(0)
        faults.close()
        assert await held is False
        assert await waiting == []

    asyncio.run(scenario())
