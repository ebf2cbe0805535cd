"""What a project has, why an app cannot have it, and the two changes that make it the app's, at each place they end."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tenantry.neon.adopting import Wanted, fault_of, make_ours, read_existing
from tenantry.neon.client import NeonApi, NeonError
from tests.unit.neon.existing import NAME, OWNER, Neon

WANTED = Wanted("acme/web", NAME, OWNER, "org-1", "aws-us-east-2", 17, logical_replication=False)


def api(neon: Neon) -> NeonApi:
    return NeonApi(api_key="k", transport=httpx.MockTransport(neon))


def fault(neon: Neon, wanted: Wanted = WANTED) -> str:
    with api(neon) as connection:
        return fault_of(connection, "p-1", read_existing(connection, "p-1"), wanted)


def test_what_a_project_has_is_told_in_the_registrys_words() -> None:
    neon = Neon(
        {
            "settings": {
                "allowed_ips": {"ips": ["10.0.0.2", "10.0.0.1"]},
                "enable_logical_replication": True,
                "quota": {"logical_size_bytes": 1024, "active_time_seconds": 0},
                "maintenance_window": {"weekdays": [1], "start_time": "05:00", "end_time": "06:00"},
            }
        },
        databases=["neondb", "later"],
    )
    with api(neon) as connection:
        found = read_existing(connection, "p-1")
    assert found
    assert found.databases == ("neondb", "later")
    assert found.settings == {
        "region": "aws-us-east-2",
        "database": {
            "postgres_version": 17,
            "history_retention": 604_800,
            "allowed_ips": ["10.0.0.1", "10.0.0.2"],
            "block_public_connections": False,
            "logical_replication": True,
            # Every project has one. Of what the registry says nothing, the project keeps what it has.
            "maintenance_window": None,
            "quota": {
                "active_time": None,
                "compute_time": None,
                "written_data": None,
                "data_transfer": None,
                "logical_size": 1024,
            },
            "compute": {"min_cu": 1, "max_cu": 4, "suspend_after": 300},
        },
    }


def test_a_compute_that_never_sleeps_and_a_plain_project() -> None:
    with api(Neon(compute={"suspend_timeout_seconds": -1})) as connection:
        found = read_existing(connection, "p-1")
    assert found
    assert found.settings["database"]["compute"]["suspend_after"] == -1
    assert found.settings["database"]["quota"] is None


def test_nothing_speaks_against_a_project_that_fits() -> None:
    assert fault(Neon()) == ""
    assert fault(Neon(), replace(WANTED, organization="")) == ""
    # A run before died behind the change of name, or the app was released and comes back.
    assert fault(Neon({"name": NAME}, others={"p-1": NAME})) == ""


@pytest.mark.parametrize(
    ("neon", "wanted", "said"),
    [
        (Neon(), replace(WANTED, region="aws-eu-central-1"), "is in region aws-us-east-2, and acme/web is to be in aws-eu-central-1, which Neon cannot change"),
        (Neon(), replace(WANTED, organization="org-2"), "is in organization org-1, and acme/web is to be in org-2"),
        (Neon({"pg_version": 16}), WANTED, "has PostgreSQL 16, and acme/web is to have 17"),
        (Neon(branches=[]), WANTED, "has no default branch"),
        (Neon(compute={"disabled": True}), WANTED, "has no compute that takes writes on its default branch"),
        (Neon(databases=[]), WANTED, "has no database"),
        (Neon({"store_passwords": False}), WANTED, "keeps no passwords"),
        (Neon({"settings": {"enable_logical_replication": True}}), WANTED, "has logical replication, which Neon cannot turn off"),
        (Neon({"name": "tenantry--acme--api"}), WANTED, "is called tenantry--acme--api, as the one of acme/api is"),
        (Neon({"name": "other--acme--web"}), WANTED, "is called other--acme--web, as the one of acme/web is"),
        (Neon(others={"p-2": NAME}), WANTED, "acme/web has project p-2 already"),
    ],
)  # fmt: skip
def test_each_refusal_is_one_line(neon: Neon, wanted: Wanted, said: str) -> None:
    told = fault(neon, wanted)
    assert said in told
    assert "\n" not in told
    assert not changes(neon), "it is only asked"


def test_a_project_that_is_not_there_is_refused() -> None:
    with api(Neon()) as connection:
        assert read_existing(connection, "p-9") is None
        assert "Neon has no project p-9" in fault_of(connection, "p-9", None, WANTED)


def ours(neon: Neon) -> None:
    with api(neon) as connection:
        found = read_existing(connection, "p-1")
        assert found
        make_ours(connection, found, WANTED)


def changes(neon: Neon) -> list[str]:
    return [each.partition(" ")[0] for each in neon.asked if not each.startswith("GET ")]


def test_the_role_is_made_beside_the_others_and_the_name_comes_last() -> None:
    neon = Neon()
    ours(neon)
    assert changes(neon) == ["POST", "PATCH"]
    assert neon.roles == ["neondb_owner", OWNER]
    assert neon.project == {"name": NAME}
    ours(neon)
    assert changes(neon) == ["POST", "PATCH"], "the second time there is nothing to do"


def test_it_goes_on_after_a_death_between_the_two() -> None:
    neon = Neon(roles=["neondb_owner", OWNER])
    ours(neon)
    assert changes(neon) == ["PATCH"]


def test_a_role_whose_answer_was_lost_is_looked_for() -> None:
    neon = Neon(broken={"POST /projects/p-1/branches/br-1/roles"})
    ours(neon)
    assert neon.project == {"name": NAME}


def test_a_role_that_could_not_be_made_leaves_the_name() -> None:
    class Refusing(Neon):
        def answer(self, said: str, body: dict[str, Any]) -> httpx.Response:
            if said.startswith("POST "):
                return httpx.Response(422, json={"message": "roles limit of 500 exceeded"})
            return super().answer(said, body)

    neon = Refusing()
    with pytest.raises(NeonError, match="roles limit"):
        ours(neon)
    assert neon.project == {}
