"""Serves the program of the current stack from this process, so that the engine starts neither a language host nor a Python of its own."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import grpc  # type: ignore[import-untyped]  # it has none
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2_grpc

from tenantry.running.engine import Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_THREADS: Final = 4
_CLOSING: Final = 5.0


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[tuple[dict[str, str], tuple[str, ...]]]:
    """Serve `__main__.py`'s program for the length of a block; gives the variables and the options with which `pulumi` finds it.

    It can be run more than once in the block, as a preview and an update.

    :param environment: the variables to run `pulumi` with, which the program reads too
    """

    def program() -> None:
        from components.program import run
        from components.settings import Settings

        run(Settings.read(environment))

    threads = ThreadPoolExecutor(max_workers=_THREADS)
    server = grpc.server(threads, options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Program(program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield (
            # The dynamic providers are run by what the program runs in.
            {"PULUMI_PYTHON_CMD": sys.executable, **environment},
            ("--client", f"127.0.0.1:{port}", "--exec-kind", "auto.inline"),
        )
    finally:
        server.stop(_CLOSING).wait(_CLOSING + 1)
        threads.shutdown(wait=False)
