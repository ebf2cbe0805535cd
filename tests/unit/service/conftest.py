from collections.abc import Iterator

import pytest

from tests.serving import served
from tests.unit.service.support import KeyServer


@pytest.fixture(scope="session")
def _served_keys() -> Iterator[tuple[KeyServer, str]]:
    server = KeyServer()
    with served(server) as url:
        yield server, url


@pytest.fixture
def key_server(_served_keys: tuple[KeyServer, str]) -> KeyServer:
    """A server of a key set, empty at first."""
    _served_keys[0].__init__()  # type: ignore[misc] # as it began, for each test
    return _served_keys[0]


@pytest.fixture
def keys_url(_served_keys: tuple[KeyServer, str]) -> str:
    return f"{_served_keys[1]}/.well-known/jwks.json"
