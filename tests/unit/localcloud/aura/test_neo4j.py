from __future__ import annotations

import pytest

from localcloud.aura.neo4j import Neo4j, Neo4jUrlError


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:7474",
        "http://neo4j:secret@127.8.0.1:7474/graph",
        "https://localhost",
        "http://[::1]:7474",
    ],
)
def test_a_loopback_address_is_taken(url: str) -> None:
    address = Neo4j(url).address
    assert "secret" not in address
    assert url.startswith(address) or "@" in url


@pytest.mark.parametrize(
    "url",
    [
        "bolt://127.0.0.1:7687",
        "127.0.0.1:7474",
        "http://",
        "http://u:secret@127.0.0.1:port",
        "http://u:secret@[::1",
        "http://u:secret@neo4j.example.com",
        "http://u:secret@192.0.2.1:7474",
        "http://u:secret@127.0.0.1/a/b",
    ],
)
def test_anything_else_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Neo4jUrlError) as caught:
        Neo4j(url)
    assert str(caught.value).startswith("LOCALCLOUD_NEO4J_URL: must ")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
