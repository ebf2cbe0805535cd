"""Alembic in several threads at once.

What a revision and an `env.py` call (`alembic.op`, `alembic.context`) are functions of two modules. Alembic lets them
work on the one operation or environment that was set last, whichever thread set it. Here each thread has its own. It
relies on names of the pinned Alembic that are not public: `ModuleClsProxy` and how it sets what the functions work on.
"""

from __future__ import annotations

import functools
import threading
from typing import Any, Final

ONE_AT_A_TIME: Final = threading.Lock()
"""Held while an operator's own history runs: its `env.py` may change what belongs to the whole process."""


class _Own(threading.local):
    """What this thread's functions work on, by its class."""

    def __init__(self) -> None:
        self.now: dict[type[Any], Any] = {}


_own: Final = _Own()


class _Proxy:
    """Stands where Alembic keeps what the functions of a module work on."""

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever is asked for
        now = _own.now.get(self._kind)
        if now is None:
            raise AttributeError(f"{name}: no history runs in this thread")
        return getattr(now, name)


@functools.cache
def separate_threads() -> None:
    """Let each thread of this process run a history of its own."""
    from alembic import context, op
    from alembic.operations import Operations
    from alembic.runtime.environment import EnvironmentContext
    from alembic.util.langhelpers import ModuleClsProxy

    for module, kind in ((op, Operations), (context, EnvironmentContext)):
        proxy = _Proxy(kind)
        # Names that are no functions, such as `context.config`, are not in the module: it asks for them here.
        vars(module).update(_proxy=proxy, __getattr__=proxy.__getattr__)

    def install(self: ModuleClsProxy) -> None:
        _own.now[type(self)] = self

    def remove(self: ModuleClsProxy) -> None:
        _own.now.pop(type(self), None)

    # Not by an assignment to the class: its metaclass would look for a module of it.
    type.__setattr__(ModuleClsProxy, "_install_proxy", install)
    type.__setattr__(ModuleClsProxy, "_remove_proxy", remove)
