from __future__ import annotations

import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request

from localcloud.neon.errors import ApiError
from localcloud.neon.parameters import (
    choice_of,
    flag_of,
    identifiers_of,
    integer_in_path,
    limit_of,
    lsn_of,
    number_of,
    required_of,
    time_of,
    uuid_in_path,
)


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("400", 400)])
def test_a_limit_within_bounds_is_taken(text: str, limit: int) -> None:
    assert limit_of({"limit": text}, 10, 400) == limit


def test_no_limit_means_the_default() -> None:
    assert limit_of({}, 10, 400) == 10


@pytest.mark.parametrize("text", ["0", "401", "-1", "ten", "", "1.5"])
def test_a_limit_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        limit_of({"limit": text}, 10, 400)
    assert caught.value.status == 400


def test_a_flag_is_true_or_false_and_nothing_else() -> None:
    assert flag_of({"x": "true"}, "x")
    assert not flag_of({"x": "false"}, "x")
    assert not flag_of({}, "x")
    with pytest.raises(ApiError):
        flag_of({"x": "1"}, "x")


@pytest.mark.parametrize("text", ["99", "30001", "1e3", "", " 100", "1_000"])
def test_a_number_out_of_bounds_or_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        number_of({"timeout": text}, "timeout", 100, 30_000)
    assert refused.value.status == 400
    assert 'parameter "timeout" in query' in refused.value.message


def test_a_word_is_one_of_the_documents() -> None:
    assert choice_of({}, "sort_order", ("asc", "desc"), "desc") == "desc"
    assert choice_of({"sort_order": "asc"}, "sort_order", ("asc", "desc"), "desc") == "asc"
    for query in ({"granularity": "weekly"}, {}):
        with pytest.raises(ApiError, match="granularity"):
            choice_of(query, "granularity", ("hourly", "daily"))


def test_what_is_required_is_asked_for() -> None:
    with pytest.raises(ApiError, match="value is required"):
        required_of({"db_name": ""}, "db_name")


def test_a_list_is_repeated_or_has_commas() -> None:
    query = QueryParams([("ids", "a,b"), ("ids", "c")])
    assert identifiers_of(query, "ids") == ["a", "b", "c"]
    for bad in ("A", ",".join(["x"] * 101)):
        with pytest.raises(ApiError, match="ids"):
            identifiers_of(QueryParams([("ids", bad)]), "ids")


def test_a_time_has_an_offset_which_may_have_lost_its_plus() -> None:
    moment = time_of({"from": "2026-01-01T02:00:00 02:00"}, "from")
    assert moment is not None
    assert moment.isoformat() == "2026-01-01T00:00:00+00:00"
    for bad in ("2026-01-01T02:00:00", "yesterday", ""):
        with pytest.raises(ApiError, match="RFC 3339"):
            time_of({"from": bad}, "from")


def test_a_log_sequence_number_is_two_numbers() -> None:
    assert lsn_of({"lsn": "0/1A2B3C4"}, "lsn") == "0/1A2B3C4"
    for bad in ("0", "x/1", "0/1 "):
        with pytest.raises(ApiError, match="lsn"):
            lsn_of({"lsn": bad}, "lsn")


def test_a_wrong_type_in_the_path_is_refused() -> None:
    request = Request({"type": "http", "path_params": {"key_id": "7", "operation_id": "x"}})
    assert integer_in_path(request, "key_id") == 7
    with pytest.raises(ApiError, match='"operation_id" in path'):
        uuid_in_path(request, "operation_id")
    with pytest.raises(ApiError, match='"operation_id" in path'):
        integer_in_path(request, "operation_id")
