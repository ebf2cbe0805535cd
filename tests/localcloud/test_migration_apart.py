"""A migration by an operator's own history, in a process of its own."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tenantry.provisioning.errors import RejectedError, UnavailableError
from tenantry.provisioning.histories import ONE_AT_A_TIME
from tenantry.provisioning.pauses import StoppedError, stopping
from tenantry.retries import RetryPolicy
from tenantry.schemas.apart import migrate_apart
from tenantry.schemas.connecting import connect
from tenantry.schemas.history import history_of
from tenantry.schemas.migrating import Schema, Wanted, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tenantry.schemas.connecting import TenantDatabase
    from tests.localcloud.support import Account

ENVIRONMENT = """\
import logging, os, sys
from alembic import context
from sqlalchemy import create_engine
import models

print("from env.py")
logging.disable()
os.environ["SEEN"] = "here"
assert os.environ["WHOSE"] == "the run's"
with create_engine(context.get_x_argument(as_dictionary=True)["db_url"]).connect() as connection:
    context.configure(connection=connection, target_metadata=models.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """\
from alembic import op
revision = {0!r}
down_revision = None

def upgrade():
    {1}
"""


@pytest.fixture(scope="module")
def database(account: Account) -> Iterator[TenantDatabase]:
    project = account.project("apart", branch={"role_name": "owner", "database_name": "app"})
    made = project.app
    with connect(made) as connection:
        connection.execute("CREATE ROLE app_rw NOLOGIN")
        connection.execute("CREATE SCHEMA app")
    yield made
    project.delete()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    versions = tmp_path / "history" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "history" / "env.py").write_text(ENVIRONMENT)
    (tmp_path / "models.py").write_text("import sqlalchemy\nmetadata = sqlalchemy.MetaData()\n")
    return tmp_path


def run(
    database: TenantDatabase, folder: Path, statement: str, recorded: Schema | None = None
) -> Schema:
    (folder / "history" / "versions" / "one.py").write_text(REVISION.format("one", statement))
    variables = {**os.environ, "WHOSE": "the run's"}
    wanted = Wanted(None, "history", ("one",))
    return migrate_apart(database, wanted, recorded, environment=variables, folder=folder)


def test_what_a_history_does_to_its_process_stays_there(
    database: TenantDatabase, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RejectedError, match="revision one failed: RuntimeError: no") as refused:
        run(database, folder, "raise RuntimeError('no')")
    assert (refused.value.app, refused.value.step) == ("acme/shop", "schema")
    with pytest.raises(RejectedError, match="ended with code 7 before it was done"):
        run(database, folder, "__import__('os')._exit(7)")
    done = run(database, folder, "op.execute('CREATE TABLE items (id int)')")
    assert done.heads == ("one",)
    assert "table items" in done.objects
    assert run(database, folder, "pass", done) == done
    assert capfd.readouterr() == ("", "")
    assert "SEEN" not in os.environ
    assert logging.getLogger().isEnabledFor(logging.CRITICAL)


def test_a_stop_ends_what_waits_in_there(database: TenantDatabase, folder: Path) -> None:
    policy = RetryPolicy(attempts=3, first_delay=600_000, cap=600_000)
    lost = replace(database, port=1, reaching=policy)
    stopped = threading.Event()

    def migrating() -> Schema:
        with stopping(stopped):
            return run(lost, folder, "pass")

    with ThreadPoolExecutor() as pool:
        found = pool.submit(migrating)
        stopped.set()
        with pytest.raises((StoppedError, UnavailableError)):
            found.result(timeout=60)


def test_templates_are_migrated_by_several_threads_at_once(database: TenantDatabase) -> None:
    """Also while an operator's history holds what it holds."""
    history, _ = history_of("base", None)
    wanted = Wanted("base", None, history.up_to(history.resolve("head")))
    others = [replace(database, name=name) for name in ("b", "c")]
    with connect(database) as connection:
        for each in others:
            connection.execute(f"CREATE DATABASE {each.name}".encode())
    for each in others:
        with connect(each) as connection:
            connection.execute("CREATE SCHEMA app")
    with ONE_AT_A_TIME, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda each: migrate(each, wanted), others))
    assert [each.heads for each in found] == [wanted.revisions[-1:]] * 2
    assert all("table settings" in each.objects for each in found)
