"""Alembic, run in this process on one database: the only module of this room that imports Alembic and SQLAlchemy."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from tenantry.provisioning.errors import ProvisioningError, RejectedError
from tenantry.provisioning.histories import ONE_AT_A_TIME, separate_threads
from tenantry.provisioning.postgres import kind_of_state
from tenantry.schemas.connecting import LOCK_SECONDS
from tenantry.schemas.errors import SchemaError
from tenantry.schemas.holders import holders
from tenantry.schemas.locking import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alembic.runtime.migration import MigrationContext

    from tenantry.schemas.connecting import TenantDatabase
    from tenantry.schemas.history import History
    from tenantry.schemas.layout import Layout

_STATEMENT_LENGTH = 300

_LOCK_TIMEOUT = "55P03"
HINTS = {
    _LOCK_TIMEOUT: "another session holds a lock on it: end that session, or try again when it is quieter",
    "57014": "it took longer than the statement timeout: raise it in the revision, or try when it is quieter",
    "42501": "the owner may not do that: a migration runs without a superuser's rights",
}
"""What to do, by SQLSTATE (PostgreSQL, appendix A)."""


@dataclass
class Run:
    """What one run has done so far. It is kept up to date, so it also holds after a failure."""

    done: list[str] = field(default_factory=list)
    current: str | None = None
    version_table: tuple[str | None, str] = (None, "alembic_version")


def run_history(
    database: TenantDatabase,
    history: History,
    layout: Layout,
    *,
    revisions: tuple[str, ...],
    allow_downgrade: bool,
    lock: psycopg.Connection[Any],
) -> Run:
    """Bring the database from where it is to exactly `revisions`.

    :param lock: the session that holds this migration's lock. By it one sees whether `env.py` connected to the right
        database, and it is asked who held a table for which a revision waited in vain
    :raises ProvisioningError: a revision failed, or one would have to be taken back and that is not allowed. What ran
        before stays applied
    """
    run = Run()

    def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        _check_connection(context, lock.info.backend_pid)
        run.version_table = (context.version_table_schema, context.version_table)
        undo, redo = _way(history, heads, revisions)
        if undo and not allow_downgrade:
            raise SchemaError(
                f"the database is at {', '.join(heads)}, and {revisions[-1]} would take back {', '.join(undo)}, with the data in "
                "what they made: write allow_downgrade: true, or name a later revision"
            )
        scripts = context.script.revision_map if context.script else None
        if scripts is None:
            raise SchemaError("env.py made a context of its own: use alembic.context")
        for id_ in (*undo, *redo):
            script = context.script.get_revision(id_) if context.script else None
            if script is None:
                raise SchemaError(f"Alembic does not find revision {id_}, which {history.name} has")
            make = (
                MigrationStep.downgrade_from_script
                if id_ in undo
                else MigrationStep.upgrade_from_script
            )
            run.current = id_
            yield make(scripts, script)
            run.done.append(id_)
            run.current = None

    separate_threads()
    with nullcontext() if layout.ours else _alone():
        try:
            config = _config(database, layout)
            scripts = ScriptDirectory.from_config(config)
            # Set here, since the configuration is split at a character that a folder's name may hold.
            scripts.version_locations = [str(each.resolve()) for each in layout.versions]
            environment = EnvironmentContext(
                config, scripts, fn=steps, destination_rev=revisions[-1]
            )
            # Each revision is a transaction, whatever env.py says. A subclass would not do: Alembic looks at the exact
            # class for the names that it puts into `alembic.context`.
            environment.configure = partial(  # type: ignore[method-assign]
                _configure, environment.configure
            )
            with environment:
                scripts.run_env()
        except SchemaError as error:
            raise RejectedError(database.app, "schema", str(error), "then tenantry up") from None
        except Exception as error:  # noqa: BLE001  an operator's env.py and revisions may raise anything
            raise _failure(database, run, error, lock) from None
    return run


@contextmanager
def _alone() -> Iterator[None]:
    """Run one history of an operator's at a time. What it prints is for people, and standard output may be taken."""
    with ONE_AT_A_TIME, redirect_stdout(sys.stderr):
        yield


def _configure(configure: Callable[..., None], *args: object, **options: object) -> None:
    configure(*args, **options | {"transaction_per_migration": True})


def _way(
    history: History, heads: tuple[str, ...], revisions: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is to be taken back, newest first, and what is to be applied, oldest first."""
    unknown = [head for head in heads if head not in history.revisions]
    if unknown:
        raise SchemaError(
            f"the database is at {', '.join(unknown)}, which {history.name} does not have: put that revision's file back, "
            "or the schema's former source"
        )
    have = {id_ for head in heads for id_ in history.up_to(head)}
    undo = history.order(have.difference(revisions))
    return undo[::-1], history.order(set(revisions) - have)


def _check_connection(context: MigrationContext, lock_holder: int) -> None:
    if context.connection is None:
        raise SchemaError("env.py configured no connection: connect to the URL in -x db_url=…")
    held = context.connection.exec_driver_sql(
        "SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND granted AND pid = %(pid)s AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database()) AND relation = to_regclass(%(table)s)",
        {"pid": lock_holder, "table": TABLE},
    ).first()
    if held is None:
        raise SchemaError(
            "env.py connected to another database than the app's: use the URL in -x db_url=…"
        )


def _config(database: TenantDatabase, layout: Layout) -> Config:
    url = URL.create(
        "postgresql+psycopg",
        username=database.owner,
        password=database.password,
        host=database.host,
        port=database.port,
        database=database.name,
        query={key: str(value) for key, value in database.session().items()},
    ).render_as_string(hide_password=False)
    config = Config(layout.ini, cmd_opts=Namespace(x=[f"db_url={url}"]))
    settings = {
        "script_location": str(layout.scripts.resolve()),
        "path_separator": "os",
        # For an env.py as `alembic init` writes it.
        "sqlalchemy.url": url,
    }
    for name, value in settings.items():
        config.set_main_option(name, value.replace("%", "%%"))
    config.remove_main_option("version_locations")
    return config


def _failure(
    database: TenantDatabase, run: Run, error: Exception, lock: psycopg.Connection[Any]
) -> ProvisioningError:
    what = f"revision {run.current}" if run.current else "the migration"
    kind, reason, hint, statement = _reason(error)
    parts = [f"{what} failed: {reason}"]
    if statement:
        parts.append(f"statement: {statement}")
    if hint == HINTS[_LOCK_TIMEOUT] and (who := _holders(lock, database.schema)):
        parts.append(who)
    if run.current:
        parts.append(
            f"it left nothing behind, and {', '.join(run.done) or 'nothing'} was applied before it in this run"
        )
    said = database.without_password("; ".join(parts))
    return kind(database.app, "schema", said, f"{hint}; then tenantry up goes on from there")


def _holders(lock: psycopg.Connection[Any], schema: str) -> str:
    try:
        return holders(lock, schema, seconds=LOCK_SECONDS)
    except psycopg.Error:
        return ""  # the revision's own failure is what has to be told


def _reason(error: Exception) -> tuple[type[ProvisioningError], str, str, str]:
    if isinstance(error, DBAPIError):
        # The driver's whole text may hold values of rows (DETAIL), so only the first part, the message, is shown.
        primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
        state = getattr(error.orig, "sqlstate", None)
        hint = HINTS.get(state or "", "correct the revision")
        # The statement is safe to show: it has placeholders in the places of bound values.
        said = primary or _line(str(error.orig))
        return kind_of_state(state, said), said, hint, _line(error.statement or "")
    said = f"{type(error).__name__}: {_line(str(error))}"
    return RejectedError, said, "correct the file", ""


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _STATEMENT_LENGTH else f"{line[:_STATEMENT_LENGTH]}…"
