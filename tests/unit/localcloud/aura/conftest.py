from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.localcloud.aura.account import Account

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "state.db")
