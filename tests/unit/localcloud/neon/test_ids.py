from __future__ import annotations

import re

import pytest

from localcloud.neon import ids

DOCUMENTED = re.compile(r"[a-z0-9-]{1,60}")


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (ids.project_id, r"[a-z]+-[a-z]+-\d{8}"),
        (ids.branch_id, r"br-[a-z]+-[a-z]+-[a-z][a-z0-9]{7}"),
        (ids.endpoint_id, r"ep-[a-z]+-[a-z]+-[a-z][a-z0-9]{7}"),
    ],
)
def test_identifiers_have_neons_shape_and_differ(make: object, shape: str) -> None:
    assert callable(make)
    made = [make() for _ in range(500)]
    assert all(re.fullmatch(shape, each) and DOCUMENTED.fullmatch(each) for each in made)
    assert len(set(made)) == len(made)


def test_secrets_need_no_escaping_in_a_url_and_differ() -> None:
    assert re.fullmatch(r"npg_[A-Za-z0-9]{24}", ids.password())
    assert re.fullmatch(r"napi_[a-z0-9]{64}", ids.api_key())
    assert len({ids.password() for _ in range(100)}) == 100
