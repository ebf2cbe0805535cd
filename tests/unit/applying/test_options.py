from math import inf

import pytest

from tenantry.applying.errors import OptionError
from tenantry.applying.options import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("10m", 600.0), ("0", 0.0), ("forever", inf)]
)
def test_how_long_another_run_is_waited_for(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1.5", "10 m", "ever"])
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(OptionError, match=r"^--wait: .* a whole number and a unit .*, or forever$"):
        seconds_of(text)
