"""A session's last statement is shown without what its texts and numbers say."""

import pytest

from tenantry.schemas.holders import without_literals


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (
            "LOCK TABLE app.items IN ACCESS EXCLUSIVE MODE",
            "LOCK TABLE app.items IN ACCESS EXCLUSIVE MODE",
        ),
        ("ALTER ROLE r PASSWORD 'secret'", "ALTER ROLE r PASSWORD …"),
        ("SELECT 'it''s secret', b\n\tFROM t", "SELECT …, b FROM t"),
        (r"SELECT E'it\'s secret', b", "SELECT …, b"),
        ("SELECT $$secret$$, $x_1$a $$ secret$x_1$, b", "SELECT …, …, b"),
        ("SELECT U&'secret', x'5ec4', t2.c3 FROM t2", "SELECT U&…, x…, t2.c3 FROM t2"),
        ("SELECT 4711, -1.5e10, .5, 0xff, 1_000 LIMIT $1", "SELECT …, -…, …, …, … LIMIT $1"),
        ("""SELECT "it's", 'secret', "a""'b" FROM t""", """SELECT "it's", …, "a""'b" FROM t"""),
        ("SELECT 1 -- it's\n, 'secret'", "SELECT … , …"),
        ("SELECT /* it's */ 'secret', b", "SELECT …, b"),
        # Cut off by the server.
        ("INSERT INTO t VALUES ('secre", "INSERT INTO t VALUES (…"),
        ("INSERT INTO t VALUES ($a$secre", "INSERT INTO t VALUES (…"),
        ("INSERT INTO t /* secre", "INSERT INTO t"),
        # What would need the session's settings, or a whole parser, ends the text.
        (r"SELECT 'it\'s secret', b", "SELECT …"),
        ("SELECT /* a /* b */ it's */ 'secret'", "SELECT …"),
        ("SELECT \x1b]0;x\x07 \u202e", "SELECT ?]…;x? ?"),
        ("", ""),
    ],
)
def test_a_statement_without_literals(query: str, shown: str) -> None:
    assert without_literals(query) == shown
