"""Commands over an engine that is a script need no program: none is served."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest


@contextmanager
def _unserved(environment: Mapping[str, str]) -> Iterator[tuple[dict[str, str], tuple[str, ...]]]:
    yield dict(environment), ()


def unserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve no program for the length of a test."""
    monkeypatch.setattr("tenantry.running.serving.served", _unserved)
