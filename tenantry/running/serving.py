"""Serves a program and its dynamic providers to the engine and takes the engine's events, on one port of this machine.

The engine then starts neither a language host nor a Python of its own. It relies on two names of the pinned SDK that
are not public, `LanguageServer` and the channel options.
"""

from __future__ import annotations

import json
import queue
import threading
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeAlias, TypeVar

import grpc  # type: ignore[import-untyped]  # it has none
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import (
    events_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    provider_pb2_grpc,
)

from tenantry.engine.pins import POSTGRESQL, RANDOM
from tenantry.provisioning.sharing import sharing

_GRPC_CHANNEL_OPTIONS.extend(
    [
        # The SDK's own channels are to the engine, which is on this machine: never through a proxy.
        ("grpc.enable_http_proxy", 0),
        # A later run may get the port of an earlier one. A connection that is shared by address would still be in the
        # pause after that one's end, and the run would be told that nobody listens.
        ("grpc.use_local_subchannel_pool", 1),
    ]
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tenantry.running.dynamic import DynamicProviders

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Event: TypeAlias = dict[str, Any]

_CLOSING: Final = 5.0
"""Seconds that the program, and what is being made, have to end after the engine did."""


class _Threads(Executor):
    """A thread for each call: the engine bounds how much is made at once, and a wait of minutes keeps nobody waiting.

    None of them keeps this process from ending. It may end at any time, and the next run finds what was cut off.
    """

    def submit(
        self,
        call: Callable[Parameters, Result],
        /,
        *args: Parameters.args,
        **options: Parameters.kwargs,
    ) -> Future[Result]:
        """Begin the call at once."""
        future: Future[Result] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call(*args, **options))
                except BaseException as error:  # noqa: BLE001  it is whoever asks for the result that is told
                    future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future


class Events(events_pb2_grpc.EventsServicer):
    """Takes the engine's events, in the server's thread, and hands them on to another."""

    def __init__(self) -> None:
        """Take nothing yet."""
        self.came: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        """The events in their order, and None behind the last."""
        self.begun = False

    def StreamEvents(self, requests: Iterator[Any], _context: object) -> Any:  # noqa: ANN401, N802 gRPC's
        """Take events until the engine has no more."""
        self.begun = True
        try:
            for request in requests:
                self.came.put(json.loads(request.event))
        finally:
            self.came.put(None)
        return empty_pb2.Empty()


class _Program(LanguageServer):
    """Runs the program, and tells which plugins it needs.

    Where nothing is told, as by the SDK's own server, the engine takes versions from the state: the second run of a
    stack would then change the version of Neon's provider to that of the plugin which it is built on.
    """

    def GetRequiredPackages(self, _request: object, _context: object) -> Any:  # noqa: ANN401, N802 gRPC's
        """Tell which plugins the program needs."""
        return language_pb2.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(name=name, kind="resource", version=version)
                for name, version in (("random", RANDOM), ("postgresql", POSTGRESQL))
            ]
        )


@contextmanager
def serve(
    program: Callable[[], None],
    events: Events | None = None,
    providers: DynamicProviders | None = None,
) -> Iterator[str]:
    """Serve a program for the length of a block; gives the address.

    :param program: what the stack is to hold; it is called once for each run of the engine, in a thread of its own
    :param events: takes what an engine says that is told `--event-log tcp://ADDRESS`
    :param providers: answers an engine that has the variables of `dynamic.attached`; without them the engine starts
        the SDK's server
    """
    server = grpc.server(_Threads(), options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(_Program(program), server)
    if events is not None:
        events_pb2_grpc.add_EventsServicer_to_server(events, server)
    if providers is not None:
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(providers, server)
    port = server.add_insecure_port("127.0.0.1:0")
    with sharing():
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            if providers is not None:
                providers.stopped.set()
            # A program whose engine is gone ends by itself.
            server.stop(_CLOSING).wait(_CLOSING + 1)
