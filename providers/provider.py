"""What the dynamic providers share."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pulumi.dynamic import ConfigureRequest, DiffResult, ResourceProvider

from providers.abandoned import end_with_the_engine
from tenantry.errors import TenantryError, marked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi.dynamic import Config

Result = TypeVar("Result")
Properties = dict[str, Any]


@dataclass(frozen=True)
class Surroundings:
    """What a run says of the place where it works. By default that is this process, as in the SDK's own server."""

    # A process's variables are no part of what it prints.
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    folder: Path = Path()
    """The folder of `Pulumi.yaml`, where relative paths begin."""


class ServedRequest(ConfigureRequest):
    """The settings of a run that is served by another process than the SDK's: by one that has more to do."""

    def __init__(self, config: Config, surroundings: Surroundings) -> None:
        """Add where the run works to what is configured."""
        super().__init__(config)
        self.surroundings = surroundings


class Provider(ResourceProvider):
    """A provider without state, whose inputs say what a difference is."""

    # Nothing but the class's name is in it.
    serialize_as_secret_always = False

    inputs: ClassVar[tuple[str, ...]]
    """What a difference in makes a change."""
    working: ClassVar[tuple[str, ...]] = ("retries",)
    """Inputs that say how to work, and change nothing that is there."""

    served = False
    """Whether the process is not the SDK's, and so has more to do than this."""
    surroundings = Surroundings()

    def configure(self, req: ConfigureRequest) -> None:
        """Take where the run works; a provider that needs settings takes them here.

        In the SDK's server it makes failures readable, and lets the process leave with the engine.
        """
        if isinstance(req, ServedRequest):
            self.served = True
            self.surroundings = req.surroundings
        else:
            self.surroundings = Surroundings()
            _report_in_one_line()
            end_with_the_engine()

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare the inputs; one that is not known yet differs from every known one."""
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in self.inputs))

    def given(self, props: Properties) -> Properties:
        """Return the inputs among the properties."""
        return {name: props.get(name) for name in (*self.inputs, *self.working)}


def report() -> str:
    """Say the failure that is being handled; one that says all by itself comes without the way there."""
    error = sys.exc_info()[1]
    return marked(error) if isinstance(error, TenantryError) else traceback.format_exc()


class _Traceback:
    """Stands in for `traceback` in the SDK's server."""

    format_exc = staticmethod(report)


def _report_in_one_line() -> None:
    # The SDK has no way to fail without a traceback. If its server comes to be made otherwise, the traceback is back,
    # and nothing else changes.
    server = sys.modules["__main__"]
    if getattr(server, "traceback", None) is traceback:
        server.traceback = _Traceback  # type: ignore[attr-defined]  # the SDK's module imports it
