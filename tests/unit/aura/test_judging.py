from pathlib import Path

import pytest

from tenantry.aura.judging import combination_fault, name_fault, same_name_fault
from tenantry.aura.models import InstanceConfiguration, InstanceSummary
from tests.unit.aura.support import GET, GONE, WANTED, Api, data, instance


def configuration(**more: str) -> InstanceConfiguration:
    known = {
        "type": "professional-db",
        "cloud_provider": "gcp",
        "region": "us-central1",
        "memory": "8GB",
        "version": "5",
    }
    return InstanceConfiguration(**{**known, **more})


@pytest.mark.parametrize("name", ["", "n" * 31, " n", "n "])
def test_a_name_that_aura_refuses_is_refused_before(name: str) -> None:
    fault = name_fault("acme/web", name)
    assert fault is not None
    assert "1 to 30 characters" in fault.message
    assert name_fault("acme/web", "n" * 30) is None


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ({"type": "free-db"}, 'graph.type "professional-db" is not offered to Aura project'),
        ({"cloud_provider": "aws"}, 'graph.cloud "gcp" is not offered'),
        (
            {"region": "europe-west1"},
            "with type professional-db, cloud gcp: write one of europe-west1",
        ),
        ({"version": "4"}, 'graph.version "5" is not offered'),
        ({"memory": "16GB"}, "region us-central1, version 5: write one of 2GB, 16GB"),
    ],
)
def test_the_first_value_that_fits_no_offer_is_named(offered: dict[str, str], said: str) -> None:
    offers = [configuration(**offered)]
    if "memory" in offered:
        offers.append(configuration(memory="2GB"))
    fault = combination_fault(WANTED, offers)
    assert fault is not None
    assert said in fault.message
    assert combination_fault(WANTED, [configuration(), *offers]) is None


def test_a_project_that_lists_nothing_is_not_judged() -> None:
    assert combination_fault(WANTED, []) is None


def test_only_a_living_instance_takes_a_name(tmp_path: Path) -> None:
    listed = [InstanceSummary(id="db1d1234", name=WANTED.name), InstanceSummary(id="b", name="x")]
    api = Api().on(GET, GONE, data(instance(status="destroying")), data(instance()))
    with api.client(tmp_path) as client:
        assert same_name_fault(client, WANTED, listed) is None
        assert same_name_fault(client, WANTED, listed) is None
        assert same_name_fault(client, WANTED, listed) is not None
