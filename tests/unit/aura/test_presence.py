from pathlib import Path

import pytest

from tenantry.aura.presence import GoneError, look
from tests.unit.aura.support import GET, GONE, LIST, OLD, TENANT, YOUNG, Api, FakeTime, data


def test_a_look_at_what_is_gone_is_certain(tmp_path: Path) -> None:
    api = Api().on(GET, GONE).on(LIST, data([]))
    with api.client(tmp_path) as client, pytest.raises(GoneError):
        look(client, "db1d1234", tenant_id=TENANT, created_at=OLD)


def test_a_404_of_a_young_instance_says_nothing(tmp_path: Path) -> None:
    api, fake = Api().on(GET, GONE).on(LIST, data([])), FakeTime()
    with api.client(tmp_path, fake) as client:
        assert look(client, "db1d1234", tenant_id=TENANT, created_at=YOUNG) is None
        fake.now += 61
        with pytest.raises(GoneError):
            look(client, "db1d1234", tenant_id=TENANT, created_at=YOUNG)
