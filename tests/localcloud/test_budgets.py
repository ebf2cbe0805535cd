"""The bucket that all machines share, on a real PostgreSQL."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tenantry.aura.clock import Clock, Deadline
from tenantry.aura.errors import AuraDeadlineError
from tenantry.aura.settings import AuraSettings
from tenantry.aura.shared_pace import SharedLimiter, limiter_of
from tenantry.budgets.bucket import Bucket, BucketError, NoBucketError
from tenantry.budgets.drawing import Drawing, draw
from tenantry.budgets.rates import Rate
from tenantry.budgets.wallet import Wallet
from tenantry.catalog.tables import WRITER
from tenantry.provisioning.sharing import sharing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tenantry.aura.limiter import RateLimiter
    from tests.localcloud.catalog import Catalog

RATE = Rate(per_minute=600, burst=5)


@pytest.fixture
def bucket(catalog: Catalog) -> Iterator[Bucket]:
    made = Bucket(catalog.url, "d", RATE)
    yield made
    made.close()


def full(catalog: Catalog, bucket: Bucket) -> None:
    bucket.take(0)
    catalog.ask("UPDATE tenantry.cloud_budgets SET tokens = 5, updated_at = clock_timestamp()")


def test_it_begins_empty_fills_by_the_rate_and_holds_no_more_than_its_burst(
    catalog: Catalog, bucket: Bucket
) -> None:
    first = bucket.take(3)
    assert (first.count, first.held) == (0, 0)
    assert 0 < first.pause <= 0.1
    time.sleep(first.pause)
    assert bucket.take(3).count >= 1
    catalog.ask(
        "UPDATE tenantry.cloud_budgets SET updated_at = clock_timestamp() - interval '1 hour'"
    )
    found = bucket.take(9)
    assert found.count == 5
    assert found.pause > 0
    assert bucket.take(9).count < 5


def test_machines_that_take_at_once_get_no_more_than_came(catalog: Catalog) -> None:
    seconds, machines = 2.0, 6

    def take(_number: int) -> int:
        own = Bucket(catalog.url, "d", RATE)
        taken = 0
        while time.monotonic() < end:
            taken += own.take(3).count
        own.close()
        return taken

    began = time.monotonic()
    end = began + seconds
    with ThreadPoolExecutor(machines) as all_of_them:
        taken = sum(all_of_them.map(take, range(machines)))
    came = (time.monotonic() - began) * RATE.per_minute / 60
    assert came * 0.3 < taken <= came + 1


def test_a_hold_empties_it_for_all_and_it_fills_after_its_end(
    catalog: Catalog, bucket: Bucket
) -> None:
    full(catalog, bucket)
    other = Bucket(catalog.url, "d", RATE)
    other.take(0)
    bucket.hold(0.5)
    bucket.hold(0.1)
    found = other.take(1)
    assert found.count == 0
    assert 0 < found.held <= 0.5
    assert found.pause == pytest.approx(found.held + 0.1)
    # Nothing comes before its end.
    asked = "SELECT tokens, updated_at = held_until FROM tenantry.cloud_budgets"
    assert catalog.ask(asked) == [(0.0, True)]
    time.sleep(found.pause)
    assert other.take(5).count >= 1
    other.close()


def test_a_server_whose_clock_was_set_back_stops_nobody(catalog: Catalog, bucket: Bucket) -> None:
    full(catalog, bucket)
    catalog.ask("UPDATE tenantry.cloud_budgets SET updated_at = now() + interval '1 day'")
    assert bucket.take(9).count == 5
    time.sleep(0.15)
    assert bucket.take(9).count >= 1


def test_a_member_of_the_writers_draws_too(catalog: Catalog) -> None:
    with catalog.user(WRITER) as user:
        own = Bucket(user.url, "d", RATE)
        assert own.take(1).count == 0
        own.hold(1)
        own.close()


def test_without_tables_there_is_no_bucket_and_without_a_server_no_answer(
    catalog: Catalog, database: Catalog
) -> None:
    with pytest.raises(NoBucketError):
        Bucket(database.url, "d", RATE).take(1)
    password = urlsplit(catalog.url).password
    assert password
    with catalog.user() as user, pytest.raises(BucketError, match="permission denied"):
        Bucket(user.url, "d", RATE).take(1)
    wrong = Bucket(catalog.url.replace(password, "no-such"), "d", RATE)
    with pytest.raises(BucketError) as raised:
        wrong.take(1)
    assert "no-such" not in str(raised.value)


@contextmanager
def swallowing(url: str) -> Iterator[tuple[str, threading.Event]]:
    """Stand before a server and, once told, swallow what is sent to it, with the connection open."""
    parts = urlsplit(url)
    swallow = threading.Event()

    def pump(source: socket.socket, target: socket.socket) -> None:
        with source, suppress(OSError):
            while content := source.recv(65536):
                if not swallow.is_set():
                    target.sendall(content)
            target.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((parts.hostname or "", parts.port or 5432))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        user = parts.netloc.rpartition("@")[0]
        there = f"{user}@127.0.0.1:{listener.getsockname()[1]}"
        yield parts._replace(netloc=there, query="sslmode=require").geturl(), swallow


def test_a_connection_that_swallows_what_is_sent_is_ended(catalog: Catalog) -> None:
    with swallowing(catalog.url) as (url, swallow):
        own = Bucket(url, "d", RATE)
        own.take(1)
        swallow.set()
        began = time.monotonic()
        with pytest.raises(BucketError):
            own.take(1)
        assert time.monotonic() - began < 5
        swallow.clear()
        # The next one is another connection.
        own.take(1)
        own.close()


def wants(wallet: Wallet, count: int) -> None:
    """Wait for tokens as the plugin does."""
    with wallet._content() as content:
        content["drawn"]["wanted"] = count


def drawn(wallet: Wallet) -> dict[str, object]:
    found: dict[str, object] = json.loads(wallet.file.read_bytes()).get("drawn", {})
    return found


def until(condition: object, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_tokens_are_drawn_for_those_who_wait_and_for_nobody_else(
    catalog: Catalog, bucket: Bucket, tmp_path: Path
) -> None:
    full(catalog, bucket)
    wallet = Wallet(tmp_path / "account-1.json")
    drawing = Drawing(wallet, Bucket(catalog.url, "d", RATE), RATE)
    try:
        time.sleep(0.3)
        assert drawn(wallet)["tokens"] == 0
        wants(wallet, 2)
        until(lambda: drawn(wallet)["tokens"] == 2)
        # Nobody takes them: they are too old, and nobody waits.
        until(lambda: (drawn(wallet)["tokens"], drawn(wallet)["wanted"]) == (0, 0))
        # Whoever waits after that is heard.
        wants(wallet, 1)
        until(lambda: drawn(wallet)["tokens"] == 1)
    finally:
        drawing.stop()
    assert float(catalog.ask("SELECT tokens FROM tenantry.cloud_budgets")[0][0]) <= 5


def test_of_two_processes_one_draws_and_the_other_goes_on_when_it_ends(
    catalog: Catalog, bucket: Bucket, tmp_path: Path
) -> None:
    full(catalog, bucket)
    wallet = Wallet(tmp_path / "account-1.json")
    first, second = (Drawing(wallet, Bucket(catalog.url, "d", RATE), RATE) for _ in range(2))
    wants(wallet, 1)
    until(lambda: drawn(wallet)["tokens"] == 1)
    first.stop()
    until(lambda: drawn(wallet)["tokens"] == 0)
    wants(wallet, 1)
    until(lambda: drawn(wallet)["tokens"] == 1)
    second.stop()


def test_a_429_on_one_machine_holds_the_other(
    catalog: Catalog, bucket: Bucket, tmp_path: Path
) -> None:
    full(catalog, bucket)
    here, there = (Wallet(tmp_path / name / "account-1.json") for name in ("here", "there"))
    drawings = [Drawing(each, Bucket(catalog.url, "d", RATE), RATE) for each in (here, there)]
    try:
        now = time.time()
        with here._content() as content:
            # As the plugin notes it.
            content["held_until"] = datetime.fromtimestamp(now + 2, UTC).isoformat()
        time.sleep(0.2)
        wants(there, 1)
        until(lambda: (seen := there.look(now)) and seen.held_until > now + 1.5)
        until(lambda: drawn(there)["tokens"] == 1)
        assert time.time() > now + 2
    finally:
        for each in drawings:
            each.stop()


def test_a_catalog_that_is_lost_is_said_and_found_again(
    catalog: Catalog, bucket: Bucket, tmp_path: Path
) -> None:
    full(catalog, bucket)
    wallet = Wallet(tmp_path / "account-1.json")
    with swallowing(catalog.url) as (url, swallow):
        drawing = Drawing(wallet, Bucket(url, "d", RATE), RATE)
        swallow.set()
        wants(wallet, 1)
        until(lambda: drawn(wallet).get("cut_off"))
        swallow.clear()
        until(lambda: not drawn(wallet).get("cut_off"), 10)
        until(lambda: drawn(wallet)["tokens"] == 1)
        drawing.stop()


def test_a_catalog_without_tables_leaves_the_machine_its_own_rate(
    database: Catalog, tmp_path: Path
) -> None:
    wallet = Wallet(tmp_path / "account-1.json")
    drawing = Drawing(wallet, Bucket(database.url, "d", RATE), RATE)
    wants(wallet, 1)
    until(lambda: drawn(wallet) == {})
    drawing.stop()
    assert drawn(wallet) == {}


@pytest.mark.parametrize("lacking", ["TENANTRY_CATALOG_URL", "NEON_API_KEY"])
def test_nothing_is_drawn_without_a_catalog_or_a_key(lacking: str, tmp_path: Path) -> None:
    variables = {"TENANTRY_CATALOG_URL": "postgresql://x", "NEON_API_KEY": "k"}
    cache = {"TENANTRY_CACHE": str(tmp_path)}
    assert draw({**variables, **cache, lacking: ""}, "org-1") is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    wallet = Wallet(tmp_path / "file" / "account-1.json")
    Drawing(wallet, Bucket("postgresql://x", "d", RATE), RATE).stop()


@pytest.fixture
def run() -> Iterator[None]:
    """What a run shares, such as connections, is closed at its end."""
    with sharing():
        yield


def aura(catalog_url: str, folder: Path) -> RateLimiter | SharedLimiter:
    """Return a machine's pace of 48 requests a minute."""
    settings = AuraSettings(
        "t", "id", "s", requests_per_minute=48, state_folder=folder, catalog_url=catalog_url
    )
    return limiter_of(settings, Clock())


def at_once(pace: RateLimiter | SharedLimiter) -> int:
    """Return how many requests may go at once."""
    gone = 0
    with suppress(AuraDeadlineError):
        while True:
            pace.acquire(Deadline(Clock(), 0.5))
            gone += 1
    return gone


@pytest.mark.usefixtures("run")
def test_two_machines_have_one_pace_for_aura(catalog: Catalog, tmp_path: Path) -> None:
    here, there = (aura(catalog.url, tmp_path / name) for name in ("here", "there"))
    assert at_once(here) == 0
    catalog.ask("UPDATE tenantry.cloud_budgets SET tokens = 11, updated_at = clock_timestamp()")
    # 36 come in a minute.
    here.acquire(Deadline(Clock(), 5))
    assert 10 <= at_once(there) <= 14
    here.hold(60)
    with pytest.raises(AuraDeadlineError):
        there.acquire(Deadline(Clock(), 30))


@pytest.mark.usefixtures("run")
def test_without_the_catalogs_tables_or_answer_a_machine_has_its_own_pace_for_aura(
    database: Catalog, tmp_path: Path
) -> None:
    assert at_once(aura(database.url, tmp_path / "none")) == 48
    lost = database.url.replace(urlsplit(database.url).path, "/no-such-database")
    assert at_once(aura(lost, tmp_path / "lost")) == 48 // 8
