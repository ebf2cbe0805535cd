"""`prices`: what is refused when the file is read, and what the program gets."""

from datetime import date
from decimal import Decimal

import pytest

from tenantry.registry import RegistryError, parse
from tenantry.registry.prices import SHIPPED, USUAL

HEAD = "version: 1\ntenants: {}\n"
ALL = (
    "compute: 1, storage: 2, history: 3, snapshots: 4, branch: 5, branches_included: 6, transfer: 7, transfer_included: 8, "
    "private_transfer: 9"
)


def test_without_it_neons_list_for_launch_holds() -> None:
    assert parse(HEAD.encode()).prices == USUAL
    assert parse(f"{HEAD}prices: {{plan: scale}}\n".encode()).prices == SHIPPED["scale"]
    assert SHIPPED["free"].compute == 0


def test_what_is_written_stands_above_the_plans_list_and_is_exact() -> None:
    text = "prices: {plan: scale, as_of: 2026-12-01, source: a contract, compute: 0.18, graphs: {professional-db: 65.5}}"
    found = parse(f"{HEAD}{text}\n".encode()).prices
    assert (found.compute, found.storage) == (Decimal("0.18"), Decimal("0.35"))
    assert found.graphs == {"free-db": Decimal(0), "professional-db": Decimal("65.5")}
    assert (found.as_of, found.source) == (date(2026, 12, 1), "a contract")
    dated = f"as_of: 2026-12-01, source: a contract, currency: EUR, {ALL}"
    assert parse(f"{HEAD}prices: {{{dated}}}\n".encode()).prices.currency == "EUR"


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("plan: enterprise", "prices.plan", "write one of free, launch, scale"),
        ("compute: 0.2", "prices", '"as_of" and "source"'),
        ("compute: 0.2, as_of: 2026-12-01", "prices", "source"),
        ("compute: -1", "prices.compute", "0 to 1e+06"),
        ("as_of: 2026-02-30", "prices.as_of", "no day of the calendar"),
        ("as_of: soon", "prices.as_of", "must be a date"),
        ("currency: euro", "prices.currency", "is not a currency"),
        ("currency: EUR, as_of: 2026-12-01, source: a, compute: 1", "prices", "write all prices"),
        ("graphs: {small-db: 1}", "prices.graphs", "small-db"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(text: str, path: str, says: str) -> None:
    with pytest.raises(RegistryError) as caught:
        parse(f"{HEAD}prices: {{{text}}}\n".encode())
    (found,) = caught.value.problems
    assert (found.path.startswith(path), says in found.message) == (True, True), found
