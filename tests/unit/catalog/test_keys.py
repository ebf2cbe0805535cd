import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenantry.catalog.keys import (
    LATEST,
    ParsedKey,
    compose,
    digest,
    live_generations,
    parse,
)
from tenantry.registry.names import LABEL, AppNames

ROOT = Path(__file__).parents[3]
SECRET = bytes(range(32))
KEY = f"acme--default_1789000000_{SECRET.hex()}"

words = st.text("abz09", min_size=1, max_size=20)
labels = (
    st.lists(words, min_size=1, max_size=4)
    .map(lambda parts: f"a{'-'.join(parts)}"[:63].rstrip("-"))
    .filter(LABEL.fullmatch)
)
prefixes = st.builds(
    lambda tenant, key: AppNames("tenantry", tenant, "web").api_key_prefix(key), labels, labels
)
seconds = st.integers(0, LATEST)
secrets = st.binary(min_size=32, max_size=32)
parts = st.tuples(prefixes, seconds, secrets)


def test_a_key_says_whose_it_is_and_when_it_was_made() -> None:
    assert compose("acme--default", at=1_789_000_000, secret=SECRET) == KEY
    assert parse(KEY) == ParsedKey(
        "acme--default", datetime(2026, 9, 10, 0, 26, 40, tzinfo=UTC), SECRET.hex()
    )


@given(parts)
@example(("a" * 49 + ".abcdefghijklm", LATEST, SECRET))
def test_the_parts_of_a_key_read_back(given_parts: tuple[str, int, bytes]) -> None:
    prefix, at, secret = given_parts
    found = parse(compose(prefix, at=at, secret=secret))
    assert found is not None
    assert (found.prefix, found.created_at.timestamp(), found.secret) == (prefix, at, secret.hex())


@given(parts, parts)
def test_two_keys_are_equal_only_if_all_their_parts_are(
    one: tuple[str, int, bytes], other: tuple[str, int, bytes]
) -> None:
    keys = {compose(prefix, at=at, secret=secret) for prefix, at, secret in (one, other)}
    assert len(keys) == len({one, other})


@given(st.text() | st.from_regex(r"[a-z.-]*_[0-9]+_[0-9a-fA-F]{62,66}\s?"))
def test_what_reads_as_a_key_is_composed_of_its_parts(text: str) -> None:
    found = parse(text)
    if found is not None:
        at = int(found.created_at.timestamp())
        assert compose(found.prefix, at=at, secret=bytes.fromhex(found.secret)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme--default",
        KEY[:-1],
        KEY + "0",
        KEY + "\n",
        " " + KEY,
        KEY.upper(),
        KEY.replace("--default", "_default"),
        KEY.replace("_1789000000_", "_01789000000_"),
        KEY.replace("_1789000000_", "_-1_"),
        KEY.replace("_1789000000_", f"_{LATEST + 1}_"),
        KEY.replace("1789000000", "١٧٨٩"),
        "a" * 64 + KEY[13:],
        KEY[13:],
    ],
)
def test_what_is_no_key_is_not_read(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("prefix", "at", "secret", "said"),
    [
        ("acme_default", 1, SECRET, "no prefix"),
        ("a" * 64, 1, SECRET, "no prefix"),
        ("acme--default", -1, SECRET, "no time"),
        ("acme--default", LATEST + 1, SECRET, "no time"),
        ("acme--default", 1, SECRET[1:], "this one 31"),
    ],
)
def test_a_key_is_not_made_of_other_parts(prefix: str, at: int, secret: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        compose(prefix, at=at, secret=secret)
    assert secret.hex() not in str(refused.value)


def test_a_key_is_kept_as_its_sha256_and_not_shown() -> None:
    assert digest(KEY) == hashlib.sha256(KEY.encode()).hexdigest()
    assert SECRET.hex() not in repr(parse(KEY))


@pytest.mark.parametrize(
    ("generation", "revoked", "live"),
    [
        (1, (), (1,)),
        (2, (), (1, 2)),
        (7, (), (6, 7)),
        (2, (1,), (2,)),
        (2, (2,), (1,)),
        (2, (2, 1), ()),
        (3, (1,), (2, 3)),
    ],
)
def test_the_current_generation_and_the_one_before_are_valid_unless_revoked(
    generation: int, revoked: tuple[int, ...], live: tuple[int, ...]
) -> None:
    assert live_generations(generation, revoked) == live


def test_the_rules_cost_nothing_to_import() -> None:
    code = (
        "import sys, tenantry.catalog.keys;"
        "print([m for m in ('pydantic', 'yaml', 'psycopg', 'pulumi') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
