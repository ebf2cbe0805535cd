from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from components.urls import connection_url


def test_a_url_asks_for_tls_and_keeps_the_tenants_scheme() -> None:
    url = connection_url(
        scheme="morphik", user="u", password="p", host="ep-1.example", database="d"
    )
    assert url == "morphik://u:p@ep-1.example/d?sslmode=require"


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_what_goes_in_comes_out(user: str, password: str, database: str) -> None:
    parts = urlsplit(
        connection_url(
            scheme="postgresql", user=user, password=password, host="h", database=database
        )
    )
    assert unquote(parts.username or "") == user
    assert unquote(parts.password or "") == password
    assert unquote(parts.path[1:]) == database
    assert parts.hostname == "h"
