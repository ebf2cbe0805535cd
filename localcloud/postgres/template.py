"""The cluster that every root branch starts as a copy of: roles and settings as Neon sets them up."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from typing import TYPE_CHECKING

from localcloud.postgres.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from localcloud.postgres.installation import Installation

SUPERUSER = "cloud_admin"
"""The bootstrap superuser, as on Neon; only the local cloud itself knows its password."""

# Parts of the folders' names: a change of what is below makes new ones.
_VERSION = 1
_EXTENSIONS_VERSION = 2

# Neon lets members of neon_superuser create these although PostgreSQL trusts nobody but superusers with them
# (https://neon.com/docs/extensions/pg-extensions). Left out: what reads the server's files or its memory.
_TRUSTED = (
    "autoinc",
    "bloom",
    "cube",
    "dblink",
    "dict_int",
    "earthdistance",
    "insert_username",
    "intagg",
    "moddatetime",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_visibility",
    "pgrowlocks",
    "pgstattuple",
    "postgres_fdw",
    "refint",
    "vector",
    "xml2",
)

# What a control file says where no superuser is needed (PostgreSQL documentation, "Extension Files").
_ANYBODYS = re.compile(r"(?mi)^\s*(trusted\s*=\s*'?true|superuser\s*=\s*'?false)")

# As in Neon's compute (compute_tools/src/sql and its migrations), less what only its own extensions have.
_BOOTSTRAP = """\
CREATE ROLE neon_superuser CREATEDB CREATEROLE NOLOGIN REPLICATION BYPASSRLS IN ROLE pg_read_all_data, pg_write_all_data;
GRANT pg_create_subscription TO neon_superuser;
GRANT pg_monitor TO neon_superuser WITH ADMIN OPTION;
GRANT pg_signal_backend TO neon_superuser WITH ADMIN OPTION;
GRANT EXECUTE ON FUNCTION pg_export_snapshot TO neon_superuser;
GRANT EXECUTE ON FUNCTION pg_log_standby_snapshot TO neon_superuser;
GRANT EXECUTE ON FUNCTION pg_show_replication_origin_status TO neon_superuser;
"""

# The one socket is the front's, so everybody needs a password. `log_min_error_statement`: a statement may hold one.
# `fsync = off`: what has been written survives the death of the server and of the local cloud (the kernel has it),
# though not a power cut. `io_method = sync` and the small buffers keep an idle server at some 15 MB.
_SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '.'
unix_socket_permissions = 0700
password_encryption = scram-sha-256
max_connections = 112
superuser_reserved_connections = 5
shared_buffers = 16MB
io_method = sync
fsync = off
min_wal_size = 2MB
max_wal_size = 64MB
max_wal_senders = 10
max_replication_slots = 10
jit = off
timezone = 'GMT'
log_timezone = 'GMT'
log_min_error_statement = panic
log_statement = none
log_checkpoints = off
"""

_ACCESS = f"""\
local all         all         scram-sha-256
local replication {SUPERUSER} scram-sha-256
"""


def template_folder(installation: Installation) -> Path:
    """Return the template's folder."""
    return installation.clusters / f"template-{_VERSION}"


def extension_folder(installation: Installation) -> Path:
    """Return the folder to put in front of ``extension_control_path``."""
    return installation.clusters / f"extensions-{_EXTENSIONS_VERSION}-{installation.key}"


def list_extensions(installation: Installation) -> list[str]:
    """Return the extensions that a role of the API can create: those that PostgreSQL or Neon trusts. Sorted."""
    controls = {
        path.stem: path.read_text()
        # Ours come last, as they come first on the server's path.
        for folder in (installation.share, extension_folder(installation))
        for path in (folder / "extension").glob("*.control")
    }
    return sorted(name for name, text in controls.items() if _ANYBODYS.search(text))


async def make_template(installation: Installation, superuser_password: str) -> None:
    """Make the template and the trusted extensions' control files, unless they are there. About half a second."""
    await asyncio.to_thread(_trust_extensions, installation)
    folder = template_folder(installation)
    if folder.exists():
        return
    draft = folder.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    password_file = installation.clusters / "password.draft"
    with os.fdopen(
        os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
    ) as file:
        if installation.account:
            os.fchown(file.fileno(), installation.account.uid, installation.account.gid)
        file.write(superuser_password)
    try:
        await run(
            [
                installation.program("initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--wal-segsize=1",
                "--no-sync",
                "--no-instructions",
            ],
            account=installation.account,
            cwd=installation.clusters,
        )
    finally:
        password_file.unlink()
    # Written in place, so that the files keep their owner.
    (draft / "postgresql.conf").write_text(_SETTINGS)
    (draft / "pg_hba.conf").write_text(_ACCESS)
    await run(
        [installation.program("postgres"), "--single", "-D", str(draft), "postgres"],
        account=installation.account,
        cwd=draft,
        text=_BOOTSTRAP,
    )
    draft.rename(folder)


def _trust_extensions(installation: Installation) -> None:
    folder = extension_folder(installation)
    if folder.exists():
        return
    for outdated in installation.clusters.glob("extensions-*"):
        shutil.rmtree(outdated)
    draft = folder.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    target = draft / "extension"
    target.mkdir(parents=True)
    source = installation.share / "extension"
    for name in _TRUSTED:
        control = source / f"{name}.control"
        if not control.exists():
            continue
        text = re.sub(r"(?m)^\s*(trusted|superuser)\s*=.*\n?", "", control.read_text())
        (target / control.name).write_text(f"{text.rstrip()}\ntrusted = true\n")
        for script in source.glob(f"{name}--*.sql"):
            shutil.copyfile(script, target / script.name)
    # Whatever the umask, another account is to read them.
    for path in (draft, target, *target.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    draft.rename(folder)
