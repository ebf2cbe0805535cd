from pathlib import Path

import pytest

from tenantry.aura.connecting import NoGraphError, client_for, connection_of
from tests.fake_pulumi import scripted
from tests.unit.aura.support import PASSWORD

GRAPHS = {
    "acme/web": {
        "uri": "neo4j+s://h.example",
        "user": "db1d1234",
        "password": PASSWORD,
        "database": "db1d1234",
    }
}


def test_a_graph_is_known_by_its_app_or_user() -> None:
    found = connection_of(GRAPHS, "acme/web")
    assert found.url == "https://h.example/db/db1d1234/query/v2"
    assert PASSWORD not in repr(found)
    with pytest.raises(
        NoGraphError, match=r'^the stack holds no graph "acme/wbe" \(did you mean "acme/web"\?\)$'
    ):
        connection_of(GRAPHS, "acme/wbe")


def test_a_client_is_made_of_what_the_stack_says(tmp_path: Path) -> None:
    answer = (
        '{"graphs": {"a/b": {"uri": "neo4j+s://h", "user": "u", "password": "p", "database": "d"}}}'
    )
    with client_for("a/b", scripted(tmp_path, f"echo '{answer}'")) as client:
        assert client.connection.url == "https://h/db/d/query/v2"
