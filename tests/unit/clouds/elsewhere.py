"""A second provider of databases, as far as a test needs one: facts, a client and a component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pulumi

from components.place import Copy, Place
from tenantry.clouds.cloud import Account, DatabaseCloud, Kind, Live, Ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from components.settings import Settings
    from tenantry.registry import App
    from tenantry.registry.models import Branch

TYPE = "pulumi-python:dynamic/tenantry:ElsewhereProject"

ELSEWHERE = DatabaseCloud(
    name="elsewhere",
    title="Elsewhere",
    noun="project",
    type=TYPE,
    client=__name__,
    component=__name__,
    account=Account("tenantry:elsewhereTeam", "ELSEWHERE_TEAM", "team"),
    url="ELSEWHERE_URL",
    secrets=("ELSEWHERE_TOKEN",),
    place={"region": "region"},
    makes_again=True,
    regaining="it is lost; to make an empty one",
    kinds={TYPE: Kind("project", lost="project {}")},
    regions=("north",),
    postgres_versions=(17,),
)


class Client:
    """Has two projects, of which one is nobody's."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def answers(self) -> None:
        return None

    def look(self, ours: Ours) -> tuple[list[Live], frozenset[str]]:
        live = [Live("e-1", "t--acme--web", ""), Live("e-2", "t--acme--old", "")]
        return [each for each in live if ours.has(each)], frozenset()

    def find(self, id_: str) -> Live | None:
        return Live(id_, "t--acme--old", "")

    def delete(self, found: Live) -> None:
        deleted.append(found.id)

    def computes(self, ids: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(ids, "awake")


deleted: list[str] = []


def connect(_settings: Settings | Mapping[str, str], environment: object = None) -> object:
    """Connect: the component with the program's settings, the client with a stack's."""
    return Client() if environment is not None else pulumi.ProviderResource("elsewhere", "all", {})


def account(_: Settings) -> str | None:
    return "team"


class Room(Place):
    """A place with everything that an app asks for."""

    def __init__(
        self,
        name: str,
        app: App,
        *,
        cloud: pulumi.ProviderResource,
        account: str | None,
        protect: bool,
        retain: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tenantry:app:Room", name, {"team": account, "retain": retain}, opts)
        self.owner = app.names.owner_role
        self.id = pulumi.Output.from_input("e-1")
        self.host = self.pooled_host = pulumi.Output.from_input("db.elsewhere.example")
        self.maintenance_database = pulumi.Output.from_input("first")
        self.owner_password = pulumi.Output.secret("owner-password")
        self._protect = protect
        self._cloud = cloud

    def inside(self, parent: pulumi.Resource, *, protect: bool = False) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=parent, protect=protect, deleted_with=self)

    def branch(
        self,
        name: str,
        app: App,
        *,
        branch: Branch,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Copy:
        raise NotImplementedError(f"{name}: {app.id}, {branch}, {protect}, {opts}")

    def parts(self) -> list[tuple[str, str, pulumi.Input[str]]]:
        return [("project", "e", self.id)]


declare = Room
