from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from localcloud.records import ApiKey, Database, Role
from localcloud.state import State

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-01-01T00:00:00.000000Z"


def role(name: str, password: str | None = "p") -> Role:
    return Role("br-1", name, password, NOW, NOW)


def test_what_was_put_is_there_after_opening_again_in_the_same_order(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = State(path)
    for name in ("z", "a", "m"):
        state.put(role(name))
    state.put(role("z", "changed"))
    # Not closed: a killed process does not either.
    again = State(path)
    assert [each.name for each in again.roles.of("br-1")] == ["z", "a", "m"]
    assert again.roles["br-1/z"].password == "changed"
    again.close()
    state.close()


def test_what_was_deleted_is_gone_from_its_table_its_parent_and_the_file(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    state.put(role("a"), role("b"))
    with state.change() as change:
        change.delete(state.roles["br-1/a"])
    assert list(state.roles) == ["br-1/b"]
    assert [each.name for each in state.roles.of("br-1")] == ["b"]
    state.close()
    again = State(tmp_path / "state.db")
    assert list(again.roles) == ["br-1/b"]
    again.close()


def test_a_change_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = State(path)
    broken = role("b")
    broken.password = object()  # type: ignore[assignment] # cannot be written as JSON
    with pytest.raises(TypeError):
        state.put(role("a"), broken)
    again = State(path)
    assert list(again.roles) == []
    again.close()
    state.close()


def test_a_rename_moves_a_record(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    database = Database("br-1", 1, "old", "o", NOW, NOW)
    state.put(database)
    with state.change() as change:
        change.delete(database)
        database.name = "new"
        change.put(database)
    state.close()
    again = State(tmp_path / "state.db")
    assert list(again.databases) == ["br-1/new"]
    again.close()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    assert (tmp_path / "state.db").stat().st_mode & 0o077 == 0
    assert isinstance(state._sqlite, sqlite3.Connection)
    state.close()


def test_an_id_is_never_given_twice_also_after_a_deletion_and_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = State(path)
    given = [state.next_id(ApiKey) for _ in range(3)]
    key = ApiKey(given[-1], "k", "0" * 64, "", None, "2026-01-01T00:00:00.000000Z")
    state.put(key)
    with state.change() as change:
        change.delete(key)
    given.append(state.next_id(ApiKey))
    state.close()
    state = State(path)
    given.append(state.next_id(ApiKey))
    assert given == sorted(set(given))
    state.close()


def test_ids_of_a_folder_from_before_there_were_sequences_go_on(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    at = "2026-01-01T00:00:00.000000Z"
    state.put(Database("br-1", 1_000_007, "core", "owner", at, at))
    assert state.next_id(Database) == 1_000_008
    state.close()
