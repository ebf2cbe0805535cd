import json
from urllib.parse import quote

import pytest

from tenantry.hiding import hidden

SECRET = "k\"e'y\\/%\r\nü"


@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        json.dumps({"told": SECRET}),
        repr(SECRET),
        quote(SECRET, safe=""),
        f"{SECRET}{SECRET}",
    ],
)
def test_a_secret_is_found_however_it_is_repeated(said: str) -> None:
    left = hidden(f"before {said} after", SECRET)
    assert left.startswith("before ")
    assert left.endswith(" after")
    assert "…" in left
    assert "y" not in left


def test_a_text_stays_what_it_is_without_one() -> None:
    assert hidden("nothing to hide", "secret", "") == "nothing to hide"
