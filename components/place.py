"""What an app needs of a place for its database. Each provider's component is one."""

from __future__ import annotations

import abc
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import pulumi

from tenantry.clouds.table import databases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from components.settings import Settings
    from tenantry.registry import App
    from tenantry.registry.models import Branch

OWNER_CONNECTIONS = 2
"""How many connections to one database provisioning holds at most; the plugin nests two transactions."""


class Copy(pulumi.ComponentResource):
    """A branch beside the main one."""

    id: pulumi.Output[str]
    host: pulumi.Output[str]


class Place(pulumi.ComponentResource, abc.ABC):
    """Where an app's database is: its region and size, its hosts, its owner, who may connect.

    A subclass declares all of that from the app: `database.compute`, `allowed_ips` and so on. What the provider cannot
    change about it is replaced as a whole, with what is `inside`.
    """

    id: pulumi.Output[str]
    host: pulumi.Output[str]
    pooled_host: pulumi.Output[str]
    maintenance_database: pulumi.Output[str]
    """A database that is there from the start."""
    owner: str
    """The role that owns the app's database. Provisioning and migrations connect as it, and the app never does."""
    owner_password: pulumi.Output[str]

    @abc.abstractmethod
    def inside(self, parent: pulumi.Resource, *, protect: bool = False) -> pulumi.ResourceOptions:
        """Give the options of what lives inside: it goes with the place and is made anew with it."""

    @abc.abstractmethod
    def branch(
        self,
        name: str,
        app: App,
        *,
        branch: Branch,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Copy:
        """Declare an extra branch, with a compute to connect to.

        :param branch: its name, unique within the place, and whether the provider is to refuse its deletion
        :param protect: the engine refuses to delete or replace the branch and its compute
        """

    def refuse_deletion(self, name: str, *, after: Sequence[pulumi.Resource]) -> None:
        """Have the provider refuse to delete the place, once its other resources are there.

        Asked for by `database.protected`, a key that only providers have that can do it.
        """
        raise NotImplementedError(f"{name}: {after}")

    @abc.abstractmethod
    def parts(self) -> Iterable[tuple[str, str, pulumi.Input[str]]]:
        """Name what it consists of by itself: kind, name and id of each, such as its main branch."""


class Provider(Protocol):
    """What the module of a provider's component has."""

    def connect(self, settings: Settings) -> pulumi.ProviderResource:
        """Declare the connection to the provider's API, one for the whole stack."""

    def account(self, settings: Settings) -> str | None:
        """Return the account that a run works in, such as a Neon organization; None where the key implies it."""

    def declare(
        self,
        name: str,
        app: App,
        *,
        cloud: pulumi.ProviderResource,
        account: str | None,
        protect: bool,
        retain: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Place:
        """Declare the place of an app's database.

        :param cloud: what `connect` gave; `opts.providers` names it too
        :param account: what `account` gave
        :param protect: the engine refuses to delete or replace it
        :param retain: removing the app leaves it in the cloud
        """


def provider(name: str) -> Provider:
    """Return the module of a provider's component.

    :param name: as the registry has it: `neon`
    """
    found: Provider = import_module(databases()[name].component)
    return found
