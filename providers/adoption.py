"""The take-over of an existing Neon project as a Pulumi resource, which comes before the app's project.

Its create makes the project the app's (`tenantry.neon.adopting`); the project's own create then finds it by its name.
What it found is among its inputs, so that a plan tells what changes. Deleting it does nothing: the project is held by
its own resource.

The state refers to this module, to `AdoptionProvider` and to the type `pulumi-python:dynamic/tenantry:Adoption` by
name: moving or renaming one of them breaks every state that holds an adopted app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, CreateResult

from providers.provider import Properties, Provider
from providers.resource import Resource
from tenantry.errors import TenantryError, marked

if TYPE_CHECKING:
    import pulumi

    from tenantry.neon.adopting import Wanted
    from tenantry.neon.looking import NeonClient


class AdoptionProvider(Provider):
    """Looks at the project before anything is made, and makes it the app's."""

    inputs = ("project",)
    """The rest tells what the project is compared with, once."""
    working = (
        "target",
        "name",
        "owner",
        "organization",
        "region",
        "postgresVersion",
        "logicalReplication",
        "found",
    )

    def configure(self, req: ConfigureRequest) -> None:
        """Take the key for Neon's API, which is in no property and no state."""
        super().configure(req)
        self._settings = {name: req.config.get(name) or "" for name in ("neon:apiKey",)}

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse a project that the app cannot have, and note what it has; one that the app has is not asked about."""
        if _olds.get("project") == news["project"]:
            return CheckResult(news | {"found": _olds.get("found")}, [])
        target = news["target"]
        if _olds.get("project"):
            return _refused(
                f"{target}: adopt.project: the app has project {_olds['project']}, and a change of adopt moves no data: "
                "write that one, or take adopt out"
            )
        from tenantry.neon.adopting import fault_of, read_existing

        project, wanted = news["project"], _wanted(news)
        try:
            with self._connect() as neon:
                existing = read_existing(neon.api, project)
                fault = fault_of(neon.api, project, existing, wanted)
        except TenantryError as error:
            return _refused(f"{target}: adopt.project: {marked(error)}")
        if existing is None or fault:
            return _refused(f"{target}: adopt.project: {fault}")
        return CheckResult(news | {"found": existing.facts()}, [])

    def create(self, props: Properties) -> CreateResult:
        """Make the project the app's. Done twice, it finds it so."""
        from tenantry.neon.adopting import fault_of, make_ours, read_existing
        from tenantry.neon.client import NeonError

        project, wanted = props["project"], _wanted(props)
        with self._connect() as neon:
            # Once more: another run may have been here since the check.
            existing = read_existing(neon.api, project)
            fault = fault_of(neon.api, project, existing, wanted)
            if existing is None or fault:
                raise NeonError(f"{wanted.app}: adopt.project: {fault}")
            make_ours(neon.api, existing, wanted)
        return CreateResult(project, self.given(props))

    def _connect(self) -> NeonClient:
        from tenantry.neon.looking import connect

        return connect(self._settings, self.surroundings.environment)


class Adoption(Resource, module="tenantry", name="Adoption"):
    """An existing project that is an app's from here on."""

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the take-over.

        :param props: each input of `AdoptionProvider` but `found`
        """
        super().__init__(AdoptionProvider(), name, {**props, "found": None}, opts)


def _refused(line: str) -> CheckResult:
    return CheckResult({}, [CheckFailure("project", line)])


def _wanted(props: Properties) -> Wanted:
    from tenantry.neon.adopting import Wanted

    return Wanted(
        app=props["target"],
        name=props["name"],
        owner=props["owner"],
        organization=props["organization"],
        region=props["region"],
        postgres_version=int(props["postgresVersion"]),
        logical_replication=bool(props["logicalReplication"]),
    )
