"""What branches have in Neon and the Neon plugin has no property for, as Pulumi resources.

The state refers to this module, its providers' classes and the types
`pulumi-python:dynamic/tenantry:{Protection,Expiry}` by name: moving or renaming one of them breaks every state that
holds such a resource.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, UpdateResult

from providers.provider import Properties, Provider
from providers.resource import Resource

if TYPE_CHECKING:
    import pulumi

    from tenantry.neon.looking import NeonClient

_PLACE = ("project", "branch")


class BranchSettingProvider(Provider):
    """One setting of a branch, which is another resource where the branch is another one."""

    working = ()
    setting: ClassVar[str]
    """The input that has it."""
    field: ClassVar[str]
    """Its name in Neon's API."""
    without: ClassVar[object]
    """What the API has of a branch without it."""

    def configure(self, req: ConfigureRequest) -> None:
        """Take the key for Neon's API, which is in no property and no state."""
        super().configure(req)
        self._settings = {name: req.config.get(name) or "" for name in ("neon:apiKey",)}

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change the setting in place."""
        changed = [name for name in self.inputs if _olds.get(name) != _news.get(name)]
        replaces = [name for name in changed if name in _PLACE]
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=True)

    def create(self, props: Properties) -> CreateResult:
        """Set it. Done twice, nothing changes."""
        return CreateResult(f"{props['project']}/{props['branch']}", self._set(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Set it, also where only somebody else has changed it."""
        return UpdateResult(self._set(_news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read it; gone where the branch is."""
        with self._connect() as neon:
            answer = neon.api.ask("GET", _path(props))
        if answer is None:
            return ReadResult(None, {})
        outputs = props | {self.setting: self.told(answer["branch"].get(self.field))}
        return ReadResult(id_, outputs, self.given(outputs))

    def delete(self, _id: str, _props: Properties) -> None:
        """Take it back. A branch that is gone has it no more."""
        self._send(_props, self.without)

    def told(self, value: Any) -> object:  # noqa: ANN401  # any JSON value
        """Return what the API tells as the input has it."""
        return value

    def _set(self, props: Properties) -> Properties:
        from tenantry.neon.client import NeonError

        if not self._send(props, props[self.setting]):
            raise NeonError(
                f"project {props['project']} has no branch {props['branch']} any more: tenantry up -- --refresh"
            )
        return self.given(props)

    def _send(self, props: Properties, value: object) -> bool:
        """Tell the API; return whether there is such a branch."""
        with self._connect() as neon:
            body = {"branch": {self.field: value}}
            return neon.api.ask("PATCH", _path(props), body=body) is not None

    def _connect(self) -> NeonClient:
        from tenantry.neon.looking import connect

        return connect(self._settings, self.surroundings.environment)


class ProtectionProvider(BranchSettingProvider):
    """Has Neon refuse to delete a branch. The plugin can say that of each branch but main."""

    inputs = (*_PLACE, "protected")
    setting = field = "protected"
    without = False


class ExpiryProvider(BranchSettingProvider):
    """Has Neon delete a branch at a time (RFC 3339, in UTC and whole seconds)."""

    inputs = (*_PLACE, "expiresAt")
    setting = "expiresAt"
    field = "expires_at"
    without = None

    def told(self, value: Any) -> object:  # noqa: ANN401  # any JSON value
        """Return the time as we write it: the API may add fractions of a second."""
        return moment_text(datetime.fromisoformat(value)) if value else None


def _path(props: Properties) -> str:
    return f"/projects/{props['project']}/branches/{props['branch']}"


def moment_text(moment: datetime) -> str:
    """Write a time as Neon's API takes it: in UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Protection(Resource, module="tenantry", name="Protection"):
    """That Neon refuses to delete a branch, and the project with it."""

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare it, with the inputs of `ProtectionProvider`."""
        super().__init__(ProtectionProvider(), name, props, opts)


class Expiry(Resource, module="tenantry", name="Expiry"):
    """When Neon deletes a branch."""

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare it, with the inputs of `ExpiryProvider`."""
        super().__init__(ExpiryProvider(), name, props, opts)
