"""Serves the dynamic providers from this process.

The SDK starts a Python for each run (`pulumi.dynamic.__main__`), which imports what this process has imported long
since. Here they are served beside the program. Answers are those of the SDK's server, so a state does not tell who
wrote it. Unlike that one, nothing here sets the SDK's own settings (`pulumi.runtime.configure`): what one thread sets
is what others find that have set nothing, and those run programs.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import dill  # type: ignore[import-untyped]  # it has none
import grpc  # type: ignore[import-untyped]  # nor has it
from google.protobuf import empty_pb2
from pulumi.dynamic import Config
from pulumi.dynamic.dynamic import PROVIDER_KEY
from pulumi.runtime import rpc
from pulumi.runtime._serialization import _deserialize
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from providers.provider import ServedRequest, Surroundings, report
from tenantry.provisioning.pauses import stopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.struct_pb2 import Struct
    from pulumi.dynamic import ResourceProvider

    from providers.provider import Properties

Answer = TypeVar("Answer")
_VERSION = "0.1.0"
"""Of the SDK's server."""


def attached(address: str) -> dict[str, str]:
    """Return the variables of an engine that is to ask the providers at this address, and not to start a Python."""
    return {"PULUMI_DEBUG_PROVIDERS": f"pulumi-python:{address.rpartition(':')[2]}"}


def _told(
    method: Callable[[DynamicProviders, Any], Answer],
) -> Callable[[DynamicProviders, Any, Any], Answer]:
    """Tell the engine of a failure, in words that are made for it."""

    @functools.wraps(method)
    def answer(self: DynamicProviders, request: Any, context: Any) -> Answer:  # noqa: ANN401 gRPC's
        try:
            with stopping(self.stopped):
                return method(self, request)
        except Exception:  # noqa: BLE001  a provider may raise anything
            said = report()
        context.abort(grpc.StatusCode.UNKNOWN, said)
        raise AssertionError  # abort does not return

    return answer


class DynamicProviders(provider_pb2_grpc.ResourceProviderServicer):
    """The providers of one run, with its settings and its environment."""

    def __init__(self, surroundings: Surroundings) -> None:
        """Serve nothing yet.

        :param surroundings: the variables and the folder of the run, which need not be this process's own
        """
        self.stopped = threading.Event()
        """Ends what only waits. What has been sent is waited for."""
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._config: Properties = {}
        self._providers: dict[str, ResourceProvider] = {}

    def Attach(self, _request: object, _context: object) -> empty_pb2.Empty:  # noqa: N802 gRPC's
        """Take note that an engine has come, and of nothing else."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, _request: object, _context: object) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Tell the version."""
        return plugin_pb2.PluginInfo(version=_VERSION)

    def Cancel(self, _request: object, _context: object) -> empty_pb2.Empty:  # noqa: N802
        """End what only waits: the run is to end."""
        self.stopped.set()
        return empty_pb2.Empty()

    def _leave(self, request: Any, context: Any) -> Any:  # noqa: ANN401, ARG002
        """Leave it to the engine what it does without an answer; so does the SDK's server."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the dynamic providers do without")

    Handshake = CheckConfig = DiffConfig = GetSchema = _leave

    @_told
    def Configure(self, request: Any) -> provider_pb2.ConfigureResponse:  # noqa: ANN401, N802
        """Take the stack's settings."""
        config = {
            name: rpc.unwrap_rpc_secret(value)
            for name, value in rpc.deserialize_properties(request.args).items()
        }
        with self._lock:
            self._config = config
            self._providers.clear()
        return provider_pb2.ConfigureResponse(acceptSecrets=False)

    @_told
    def Check(self, request: Any) -> provider_pb2.CheckResponse:  # noqa: ANN401, N802
        """Check the inputs."""
        olds = rpc.deserialize_properties(request.olds, keep_unknowns=True)
        news = rpc.deserialize_properties(request.news, keep_unknowns=True)
        result = self._provider(news).check(olds, news)
        failures = [
            provider_pb2.CheckFailure(property=each.property, reason=each.reason)
            for each in result.failures
        ]
        return provider_pb2.CheckResponse(inputs=_struct(result.inputs, news), failures=failures)

    @_told
    def Diff(self, request: Any) -> provider_pb2.DiffResponse:  # noqa: ANN401, N802
        """Say what a difference of the inputs means."""
        olds = rpc.deserialize_properties(request.olds, keep_unknowns=True)
        news = rpc.deserialize_properties(request.news, keep_unknowns=True)
        result = self._provider(news).diff(request.id, olds, news)
        changes = {
            None: provider_pb2.DiffResponse.DIFF_UNKNOWN,
            True: provider_pb2.DiffResponse.DIFF_SOME,
            False: provider_pb2.DiffResponse.DIFF_NONE,
        }
        return provider_pb2.DiffResponse(
            changes=changes[result.changes],
            replaces=result.replaces or [],
            deleteBeforeReplace=bool(result.delete_before_replace),
        )

    @_told
    def Create(self, request: Any) -> provider_pb2.CreateResponse:  # noqa: ANN401, N802
        """Make the resource."""
        props = rpc.deserialize_properties(request.properties)
        result = self._provider(props).create(props)
        return provider_pb2.CreateResponse(id=result.id, properties=_struct(result.outs, props))

    @_told
    def Update(self, request: Any) -> provider_pb2.UpdateResponse:  # noqa: ANN401, N802
        """Change the resource."""
        olds = rpc.deserialize_properties(request.olds)
        news = rpc.deserialize_properties(request.news)
        result = self._provider(news).update(request.id, olds, news)
        return provider_pb2.UpdateResponse(properties=_struct(result.outs, news))

    @_told
    def Delete(self, request: Any) -> empty_pb2.Empty:  # noqa: ANN401, N802
        """Delete the resource."""
        props = rpc.deserialize_properties(request.properties)
        self._provider(props).delete(request.id, props)
        return empty_pb2.Empty()

    @_told
    def Read(self, request: Any) -> provider_pb2.ReadResponse:  # noqa: ANN401, N802
        """Look at the resource."""
        props = rpc.deserialize_properties(request.properties)
        result = self._provider(props).read(request.id, props)
        return provider_pb2.ReadResponse(
            id=result.id or "",
            properties=_struct(result.outs, props),
            inputs=None if result.inputs is None else _struct(result.inputs, props),
        )

    def _provider(self, props: Properties) -> ResourceProvider:
        """Return the provider that a resource names, configured for this run."""
        name = props[PROVIDER_KEY]
        with self._lock:
            if name not in self._providers:
                provider: ResourceProvider = _deserialize(dill.loads, base64.b64decode(name))
                provider.configure(
                    ServedRequest(Config(self._config, "tenantry"), self._surroundings)
                )
                self._providers[name] = provider
            return self._providers[name]


def _struct(values: Properties | None, props: Properties) -> Struct:
    """Write properties for the engine, with the provider that they are of."""
    given = {**(values or {}), PROVIDER_KEY: props[PROVIDER_KEY]}
    return asyncio.run(rpc.serialize_properties(given, {}))
