"""The plugin's file, as this side reads and writes it."""

import json
import stat
import time
from pathlib import Path

import pytest

from tenantry.budgets.wallet import Seen, Wallet

# As Go writes it.
GO = {
    "next": "2026-11-29T14:50:40.123456789+01:00",
    "held_until": "2026-11-29T14:50:40.123456789Z",
    "operations": {"create": {"mean": 1}},
    "drawn": {
        "until": "2026-11-29T14:50:45Z",
        "tokens": 2,
        "good_until": "2026-11-29T14:50:41Z",
        "wanted": 3,
    },
}
AT = 1795963840.0
"""2026-11-29T14:50:40Z."""
HELD = AT + 0.123456


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    return Wallet(tmp_path / "neon" / "account-1.json")


def content(wallet: Wallet) -> dict[str, object]:
    found: dict[str, object] = json.loads(wallet.file.read_bytes())
    return found


def test_it_is_where_the_plugin_has_it() -> None:
    # neonhttp.newLedger: 8 bytes of SHA-256 over the address and the key.
    found = Wallet.of(
        "napi_1", {"TENANTRY_CACHE": "/c", "NEON_API_URL": "http://127.0.0.1:1/api/v2/"}
    )
    assert str(found.file) == "/c/neon/account-6c0e995cf7744228.json"
    assert Wallet.of("k", {"XDG_CACHE_HOME": "/x"}).file.parent == Path("/x/tenantry/neon")
    assert Wallet.of("k", {}).file.parent == Path.home() / ".cache/tenantry/neon"


def test_what_the_plugin_wrote_is_read_and_the_rest_of_it_stays(wallet: Wallet) -> None:
    wallet.file.parent.mkdir()
    wallet.file.write_text(json.dumps(GO))
    assert wallet.look(AT) == Seen(wanted=3, tokens=2, held_until=HELD)
    assert wallet.look(AT + 1) == Seen(wanted=3, tokens=0, held_until=HELD)
    wallet.promise(AT + 9)
    found = content(wallet)
    assert found == {
        **GO,
        "drawn": {**GO["drawn"], "until": "2026-11-29T14:50:49+00:00", "cut_off": False},  # type: ignore[dict-item]
    }


def test_tokens_are_added_to_those_that_are_good_yet(wallet: Wallet) -> None:
    now = float(int(time.time()))
    wallet.promise(now + 5)
    wallet.put(2, now + 60, 0)
    wallet.put(3, now + 90, 0)
    found = wallet.look(now)
    assert found == Seen(wanted=0, tokens=5, held_until=0)
    # None of the first is kept for longer.
    assert wallet.look(now + 61) == Seen(wanted=0, tokens=0, held_until=0)
    assert stat.S_IMODE(wallet.file.stat().st_mode) == 0o600


def test_what_got_too_old_goes_with_those_who_were_thought_to_wait(wallet: Wallet) -> None:
    wallet.file.parent.mkdir()
    wallet.file.write_text(json.dumps(GO))
    wallet.expire(AT)
    assert content(wallet) == GO
    wallet.expire(AT + 2)
    assert wallet.look(AT) == Seen(wanted=0, tokens=0, held_until=HELD)


def test_a_hold_of_another_machine_takes_the_tokens(wallet: Wallet) -> None:
    now = float(int(time.time()))
    wallet.promise(now + 5)
    wallet.put(4, now + 60, now + 7)
    assert wallet.look(now) == Seen(wanted=0, tokens=0, held_until=now + 7)


def test_nothing_is_put_where_nobody_draws(wallet: Wallet) -> None:
    wallet.promise(time.time() + 5)
    wallet.forget()
    wallet.put(4, time.time() + 60, 0)
    assert content(wallet) == {}


def test_a_file_that_is_cut_short_counts_as_empty(wallet: Wallet) -> None:
    wallet.file.parent.mkdir()
    wallet.file.write_text('{"next": "2026')
    assert wallet.look(AT) is None
    wallet.promise(AT)
    assert set(content(wallet)) == {"drawn"}
