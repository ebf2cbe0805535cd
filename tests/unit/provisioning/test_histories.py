"""Two histories at once, over databases in memory."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import context, op
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tenantry.provisioning.histories import separate_threads

SECONDS = 20


@pytest.fixture(autouse=True)
def separate() -> None:
    separate_threads()


def test_each_thread_works_on_its_own_database() -> None:
    both = threading.Barrier(2)

    def migrate(name: str) -> list[str]:
        with sa.create_engine("sqlite://").connect() as connection:
            migration = MigrationContext.configure(connection)
            both.wait(SECONDS)
            with Operations.context(migration):
                both.wait(SECONDS)
                # As revisions do it: by the module, and by a name taken from it.
                op.create_table(name, sa.Column("id", sa.Integer))
                assert op.get_context() is migration
                both.wait(SECONDS)
            return sa.inspect(connection).get_table_names()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(migrate, ["one", "two"]))
    assert found == [["one"], ["two"]]


def test_each_thread_has_its_own_environment() -> None:
    both = threading.Barrier(2)

    def run(name: str) -> Any:
        config = Config()
        config.set_main_option("mine", name)
        with EnvironmentContext(config, ScriptDirectory(".")):
            both.wait(SECONDS)
            found = context.config.get_main_option("mine")
            both.wait(SECONDS)
        return found

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, ["one", "two"])) == ["one", "two"]


def test_outside_of_a_history_there_is_nothing_to_work_on() -> None:
    with pytest.raises(AttributeError, match="no history runs in this thread"):
        op.execute("SELECT 1")
    with pytest.raises(AttributeError, match="no history runs in this thread"):
        _ = context.config
