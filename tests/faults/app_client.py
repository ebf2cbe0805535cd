"""What an app does with its URL: it connects, again and again, and notes when it is turned away."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import psycopg

PAUSE = 0.05
_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Url:
    """Where an app connects: straight to its compute, or through the pooler."""

    direct: str
    pooled: str


class AppClient(threading.Thread):
    """Opens a connection every 50 ms, direct and pooled in turn, with the URL that it was told last.

    Through the pooler it also asks whether its login has the group's rights; on the direct host it says nothing, so
    that faults ordered for that host's statements are the provisioner's alone.
    """

    def __init__(self, name: str, url: Url, group: str) -> None:
        super().__init__(name=name, daemon=True)
        self._url = url
        self._group = group
        self._ending = threading.Event()
        self.connections = 0
        self.refusals: list[str] = []

    def tell(self, url: Url) -> None:
        """Have it use another URL, and wait until it does."""
        before = self.connections
        self._url = url
        # One may be under way, and one is made with the new URL.
        while self.is_alive() and self.connections < before + 2:
            time.sleep(PAUSE)

    def run(self) -> None:
        """Connect until told to end."""
        while not self._ending.wait(PAUSE):
            url = self._url
            is_pooled = self.connections % 2 == 1
            try:
                self._connect(url.pooled if is_pooled else url.direct, asks=is_pooled)
            except (psycopg.Error, AssertionError) as error:
                self.refusals.append(f"{time.strftime('%H:%M:%S')} {self.name}: {error}")
            self.connections += 1

    def end(self) -> None:
        """Stop connecting."""
        self._ending.set()
        self.join()

    def _connect(self, url: str, *, asks: bool) -> None:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS, autocommit=True) as connection:
            if asks:
                row = connection.execute(
                    "SELECT pg_has_role(%s, 'USAGE'), current_setting('search_path')",
                    (self._group,),
                ).fetchone()
                assert row == (True, "app, public"), f"its rights or settings are gone: {row}"


def is_let_in(url: Url) -> bool:
    """Whether both addresses take this URL's login; a refusal for another reason than the password is raised."""
    return all(_is_let_in(each) for each in (url.direct, url.pooled))


def is_refused(url: Url) -> bool:
    """Whether both addresses turn this URL's login away for its password."""
    return not any(_is_let_in(each) for each in (url.direct, url.pooled))


def _is_let_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=_CONNECT_SECONDS).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        return False
    return True
