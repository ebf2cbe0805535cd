import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from tenantry.catalog.errors import CatalogError
from tenantry.catalog.location import label

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://keeper:hunter2@db.example:5432/tenantry", "db.example:5432/tenantry"),
        ("postgres://keeper@db.example/tenantry", "db.example/tenantry"),
        (
            "postgresql://db.example/tenantry?sslmode=require&password=hunter2",
            "db.example/tenantry",
        ),
        ("postgresql://db.example?password=hunter2", "db.example"),
        ("postgresql:///tenantry?host=/run/postgresql", "/tenantry"),
        ("postgresql://keeper:hunter2@[2001:db8::1]:5432/tenantry", "[2001:db8::1]:5432/tenantry"),
        (
            "postgresql://k@one.example:1,two.example:2/tenantry",
            "one.example:1,two.example:2/tenantry",
        ),
        # URLs of other kinds end at these; a user of libpq's may have them in a password.
        ("postgresql://keeper:#hunter2@db.example/tenantry", "db.example/tenantry"),
        ("postgresql://keeper:?hunter2@db.example/tenantry", "db.example/tenantry"),
    ],
)
def test_a_catalog_is_named_by_its_place_alone(url: str, name: str) -> None:
    assert label(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "host=db.example password=hunter2",
        "mysql://keeper:hunter2@db.example/tenantry",
        "keeper:hunter2@db.example/tenantry",
        "postgresql://keeper:hunt@er2hunter2@db.example/tenantry",
        "postgresql://keeper:/hunter2@db.example/tenantry",
        "postgresql://db.example/tenantry#hunter2",
        "",
    ],
)
def test_what_is_no_url_of_postgresql_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(CatalogError, match="TENANTRY_CATALOG_URL") as refused:
        label(url)
    assert SECRET not in str(refused.value)


@given(st.text(st.characters(exclude_characters="@/ %\0", exclude_categories=["C"]), min_size=1))
def test_no_password_that_libpq_takes_gets_into_the_name(password: str) -> None:
    url = f"postgresql://keeper:{password}@db.example:5432/tenantry"
    assert conninfo_to_dict(url)["password"] == password
    assert label(url) == "db.example:5432/tenantry"
