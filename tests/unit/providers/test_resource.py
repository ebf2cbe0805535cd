import base64
import pickle
from concurrent.futures import ThreadPoolExecutor

import pulumi
from pulumi.dynamic.dynamic import serialize_provider

from providers.api_keys import ApiKeyProvider
from providers.catalog import Catalog, TablesProvider
from providers.resource import serialized
from tests.unit.components.recording import run


def test_a_state_holds_the_class_by_its_import_path() -> None:
    text = serialized(ApiKeyProvider)
    assert text == serialize_provider(ApiKeyProvider())
    assert isinstance(pickle.loads(base64.b64decode(text)), ApiKeyProvider)


def test_many_threads_get_the_same_text() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(serialized, [ApiKeyProvider] * 64))) == 1


def test_a_second_resource_leaves_the_pickler_alone() -> None:
    # The SDK's own way wraps this method once more for each resource, down to a RecursionError.
    def program() -> dict[str, pulumi.Output[object]]:
        for number in range(3):
            Catalog(f"catalog-{number}", pulumi.Output.from_input("db.example/tenantry"))
        return {}

    serialized(TablesProvider)
    method = pickle._Pickler._batch_setitems  # type: ignore[attr-defined]
    monitor = run(program)
    assert len(monitor.registered) == 3
    assert pickle._Pickler._batch_setitems is method  # type: ignore[attr-defined]
