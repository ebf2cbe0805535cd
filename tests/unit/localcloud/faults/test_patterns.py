from __future__ import annotations

import pytest

from localcloud.faults.patterns import RequestPattern, SessionPattern, check, without_literals


@pytest.mark.parametrize(
    ("match", "method", "path", "meant"),
    [
        ("POST /projects", "POST", "/projects", True),
        ("POST /projects", "GET", "/projects", False),
        ("POST /projects", "POST", "/projects/p", False),
        ("* /projects/*", "DELETE", "/projects/p", True),
        ("* /projects/*", "GET", "/projects/", False),
        ("* /projects/*", "GET", "/projects/p/branches", False),
        ("GET /projects/*/operations/**", "GET", "/projects/p/operations/o", True),
        ("GET /projects/*/operations/**", "GET", "/projects/p/operations/o/more", True),
        ("GET /projects/*/operations/**", "GET", "/projects/p/operations", False),
        ("* /**", "GET", "/regions", True),
        ("GET /a.b", "GET", "/axb", False),
    ],
)
def test_a_pattern_of_requests(match: str, method: str, path: str, *, meant: bool) -> None:
    assert RequestPattern(match).matches(method, path) is meant


@pytest.mark.parametrize(
    ("match", "names", "statement", "meant"),
    [
        ("* alter role*", {"ep-1"}, "ALTER ROLE x LOGIN", True),
        ("* alter role*", {"ep-1"}, "  Alter\n\trole x", True),
        ("* alter role*", {"ep-1"}, "SELECT 1; ALTER ROLE x", False),
        ("* *alter role*", {"ep-1"}, "SELECT 1; ALTER ROLE x", True),
        ("* select ?", {"ep-1"}, "select 1", True),
        ("* select ?", {"ep-1"}, "select 12", False),
        ("ep-1 *", {"ep-1", "127.64.0.1"}, "SELECT 1", True),
        ("127.64.0.1 *", {"ep-1", "127.64.0.1"}, "SELECT 1", True),
        ("ep-2 *", {"ep-1", "127.64.0.1"}, "SELECT 1", False),
        ("* *", {"ep-1"}, None, False),
        ("* connect", {"ep-1"}, None, True),
        ("* Connect", {"ep-1"}, None, True),
        ("* connect", {"ep-1"}, "connect", False),
        ("ep-2 connect", {"ep-1"}, None, False),
    ],
)
def test_a_pattern_of_sessions(
    match: str, names: set[str], statement: str | None, *, meant: bool
) -> None:
    assert SessionPattern(match).matches(names, statement) is meant


@pytest.mark.parametrize(
    ("api", "match"),
    [
        ("neon", "/projects"),
        ("neon", "POST projects"),
        ("neon", "post /projects"),
        ("neon", "GET /a/**/b"),
        ("aura", "GET /a b"),
        ("postgres", "*"),
        ("postgres", ""),
    ],
)
def test_a_match_that_means_nothing_is_refused(api: str, match: str) -> None:
    with pytest.raises(ValueError, match=r"a match of|\*\* stands"):
        check(api, match)


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT 1", "SELECT 1"),
        ("ALTER ROLE a\n  PASSWORD 'secret'", "ALTER ROLE a PASSWORD …"),
        ("DO $$ BEGIN secret $$", "DO …"),
        ("DO $x1$ secret $x1$", "DO …"),
        ("SELECT $1", "SELECT $1"),
        ("SELECT E'secret'", "SELECT E …"),
    ],
)
def test_nothing_that_stands_in_quotes_is_shown(statement: str, shown: str) -> None:
    assert without_literals(statement) == shown
