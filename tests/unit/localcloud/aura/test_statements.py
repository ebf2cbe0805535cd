from __future__ import annotations

from typing import Any

import pytest

from localcloud.aura.statements import (
    NO_GRAPH,
    PARAMETER_MISSING,
    SYNTAX_ERROR,
    StatementError,
    evaluate,
)


@pytest.mark.parametrize(
    ("statement", "parameters", "columns", "row"),
    [
        ("RETURN 1 AS ok", {}, ["ok"], [1]),
        (" return\n1  as  ok ; ", {}, ["ok"], [1]),
        ("RETURN 1", {}, ["1"], [1]),
        ("RETURN $x AS x", {"x": {"a": [1, None]}}, ["x"], [{"a": [1, None]}]),
        ("RETURN $x", {"x": 1}, ["$x"], [1]),
        ("RETURN $`my x` AS `my x`", {"my x": "y"}, ["my x"], ["y"]),
        ("RETURN -2, 1.5, 2e3 AS f", {}, ["-2", "1.5", "f"], [-2, 1.5, 2000.0]),
        ("RETURN 'it', \"is\" AS b", {}, ["'it'", "b"], ["it", "is"]),
        ("RETURN true, FALSE AS f, null AS n", {}, ["true", "f", "n"], [True, False, None]),
    ],
)
def test_literals_and_parameters_are_returned(
    statement: str, parameters: dict[str, Any], columns: list[str], row: list[Any]
) -> None:
    assert evaluate(statement, parameters) == (columns, [row])


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "RETURN",
        "RETURN ",
        "RETURN 1 +1",
        "RETURN 1x",
        "RETURN 1,",
        "RETURN 1 2",
        "RETURN 1; RETURN 2",
        "RETURN nullable",
        "RETURN 1 AS 2",
        "RETURN 'a\\'b'",
        "MATCH (n) RETURN n",
        "CREATE (n)",
        "SHOW DATABASES",
    ],
)
def test_anything_else_says_that_there_is_no_graph(statement: str) -> None:
    with pytest.raises(StatementError, match="no graph behind") as caught:
        evaluate(statement, {})
    assert caught.value.code == NO_GRAPH
    assert "LOCALCLOUD_NEO4J_URL" in caught.value.message


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("RETURN $x", PARAMETER_MISSING),
        ("RETURN 1 AS a, 2 AS a", SYNTAX_ERROR),
        ("RETURN 9223372036854775808", SYNTAX_ERROR),
        ("RETURN " + "9" * 5000, SYNTAX_ERROR),
        ("RETURN 1e999", SYNTAX_ERROR),
    ],
)
def test_what_neo4j_refuses_is_refused(statement: str, code: str) -> None:
    with pytest.raises(StatementError) as caught:
        evaluate(statement, {"y": 1})
    assert caught.value.code == code
