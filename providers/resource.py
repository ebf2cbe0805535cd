"""What the dynamic resources are declared with."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi import dynamic
from pulumi.dynamic.dynamic import PROVIDER_KEY, serialize_provider

if TYPE_CHECKING:
    from providers.provider import Provider

_serialized: Final[dict[type[Provider], str]] = {}
_lock: Final = Lock()


class Resource(dynamic.Resource):
    """A dynamic resource whose provider is a class without state, named in the state by its import path.

    The SDK serializes the provider of each resource anew, and each time wraps a method of Python's pickler once more
    (`pulumi.dynamic.dynamic.serialize_provider`, 3.260): a process that declares a thousand of them ends in a
    RecursionError, and two programs at once disturb each other. What it makes of a class is always the same text, so it
    is made once.
    """

    def __init__(
        self,
        provider: Provider,
        name: str,
        props: dict[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the resource; the arguments are the SDK's."""
        pulumi.CustomResource.__init__(
            self,
            f"pulumi-python:{self._resource_type_name}",
            name,
            {**props, PROVIDER_KEY: serialized(type(provider))},
            opts,
        )


def serialized(provider: type[Provider]) -> str:
    """Return what a state holds of a provider's class."""
    with _lock:
        if provider not in _serialized:
            _serialized[provider] = serialize_provider(provider())
        return _serialized[provider]
