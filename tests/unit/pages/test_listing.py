"""Which rows a URL asks for."""

from datetime import UTC, datetime
from time import perf_counter

import pytest

from tenantry.pages.listing import PER_PAGE, Query, listed
from tenantry.pages.rows import STATUSES, Row


def row(number: int, **more: object) -> Row:
    known: dict[str, object] = {
        "app": f"t{number % 7}/app-{number:05}",
        "tenant": f"t{number % 7}",
        "name": f"app-{number:05}",
        "environment": ("production", "staging")[number % 2],
        "region": "aws-us-east-2",
        "version": 17,
        "declared": f"tenants.yaml:{number}",
        "status": STATUSES[number % len(STATUSES)],
        "reason": "",
        "ended": datetime.fromtimestamp(number, UTC),
        "result": "update succeeded",
        "actor": "ann@host",
        "host": f"ep-{number}.example",
        "project": f"p-{number}",
        "frozen": "",
        "row": None,
    }
    return Row(**(known | more))  # type: ignore[arg-type]  # by name


def test_pages_are_cut_and_all_rows_are_on_one_of_them() -> None:
    rows = [row(number) for number in range(3 * PER_PAGE + 1)]
    seen: list[str] = []
    for number in range(1, 5):
        page = listed(rows, Query(page=number, sort="app"))
        seen += [each.app for each in page.rows]
    assert seen == sorted(each.app for each in rows)
    assert (page.pages, page.first, len(page.rows)) == (4, 151, 1)
    assert listed(rows, Query(page=99)).query.page == 4
    assert listed([], Query()).first == 0


def test_the_worst_is_first_and_a_head_turns_its_order_around() -> None:
    rows = [row(number) for number in range(20)]
    page = listed(rows, Query())
    assert [each.status for each in page.rows][:2] == ["failed", "failed"]
    assert Query.of({"sort": "-ended"}) == Query(sort="ended", down=True)
    assert Query(sort="app").sorted_by("app") == "?sort=-app"
    assert Query(sort="app", down=True).sorted_by("app") == "?sort=app"
    newest = listed(rows, Query(sort="ended", down=True)).rows[0]
    assert newest.app == "t5/app-00019"


def test_counts_are_of_what_fits_the_rest_of_the_query() -> None:
    rows = [row(number) for number in range(40)]
    page = listed(rows, Query(environment="staging", status="left"))
    staging = [each for each in rows if each.environment == "staging"]
    assert page.found == sum(each.status == "left" for each in staging)
    assert sum(page.counts.values()) == 20
    assert listed(rows, Query(q="APP-00003 ep-3")).found == 1


@pytest.mark.parametrize(
    "given",
    [
        {"page": "-1"},
        {"page": "9" * 30},
        {"page": "²"},
        {"sort": "__class__"},
        {"status": "nothing"},
        {"frozen": "x"},
    ],
)
def test_what_is_no_value_of_ours_is_not_there(given: dict[str, str]) -> None:
    assert Query.of(given) == Query()


def test_a_url_leads_back_to_its_query() -> None:
    query = Query(q="a&b=c", tenant="acme", status="failed", frozen=True, sort="app", down=True)
    from urllib.parse import parse_qsl

    assert Query.of(dict(parse_qsl(query.url()[1:]))) == query
    assert Query.of(dict(parse_qsl(query.url(page=3)[1:]))).page == 3


def test_ten_thousand_rows_take_a_tenth_of_a_second() -> None:
    rows = [row(number) for number in range(10_000)]
    begun = perf_counter()
    listed(rows, Query(q="app 00", sort="ended"))
    assert perf_counter() - begun < 0.3
