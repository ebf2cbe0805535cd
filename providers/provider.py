"""What the dynamic providers share."""

from __future__ import annotations

import sys
import traceback
from typing import Any, ClassVar, TypeVar

from pulumi.dynamic import ConfigureRequest, DiffResult, ResourceProvider

from providers.abandoned import end_with_the_engine
from tenantry.errors import TenantryError, marked

Result = TypeVar("Result")
Properties = dict[str, Any]


class Provider(ResourceProvider):
    """A provider without state, whose inputs say what a difference is."""

    # Nothing but the class's name is in it.
    serialize_as_secret_always = False

    inputs: ClassVar[tuple[str, ...]]
    """What a difference in makes a change."""
    working: ClassVar[tuple[str, ...]] = ("retries",)
    """Inputs that say how to work, and change nothing that is there."""

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002  # the interface's
        """Make failures readable, and leave with the engine; a provider that needs settings takes them here."""
        _report_in_one_line()
        end_with_the_engine()

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare the inputs; one that is not known yet differs from every known one."""
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in self.inputs))

    def given(self, props: Properties) -> Properties:
        """Return the inputs among the properties."""
        return {name: props.get(name) for name in (*self.inputs, *self.working)}


class _Traceback:
    """Stands in for `traceback` in the SDK's server: a failure that says all by itself comes without the way there."""

    @staticmethod
    def format_exc() -> str:
        error = sys.exc_info()[1]
        return marked(error) if isinstance(error, TenantryError) else traceback.format_exc()


def _report_in_one_line() -> None:
    # The SDK has no way to fail without a traceback. If its server comes to be made otherwise, the traceback is back,
    # and nothing else changes.
    server = sys.modules["__main__"]
    if getattr(server, "traceback", None) is traceback:
        server.traceback = _Traceback  # type: ignore[attr-defined]  # the SDK's module imports it
