"""A Neo4j Aura instance, and its readiness, as Pulumi resources.

What makes and what waits are two resources. The create returns at once, so a wait that fails or is killed loses neither
the id nor the password, which Aura tells once.

The state refers to this module, to its providers' classes by name, and to the types
`pulumi-python:dynamic/tenantry:AuraInstance` and `…:AuraReady`. Moving or renaming one of them breaks every state that
holds a graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)
from pulumi.output import contains_unknowns

from providers.catalog import GraphRecordProvider
from providers.provider import Provider
from providers.resource import Resource
from tenantry.errors import marked
from tenantry.provisioning.errors import ProvisioningError
from tenantry.provisioning.sharing import Shared

if TYPE_CHECKING:
    from tenantry.aura.account import Account
    from tenantry.aura.errors import AuraError
    from tenantry.aura.judging import Fault, Wanted
    from tenantry.aura.readiness import Awaited
    from tenantry.aura.settings import AuraSettings

FIXED: Final = ("type", "cloud", "region", "version", "tenantId")
"""What Aura cannot change about an instance."""
CHANGEABLE: Final = ("target", "name", "memory", "snapshotBeforeDelete")
ADOPTION: Final = ("adoptInstanceId", "adoptUsername", "adoptPassword")
"""Of the create only: what comes later changes nothing."""
INSTANCE_OUTPUTS: Final = ("connectionUrl", "username", "password", "createdAt")
_JUDGED: Final = ("name", "memory", *FIXED)

KEPT: Final = ("connectionUrl", "username", "password")
"""They change with the instance only. While it is updated, a preview does not know them."""
_FREE: Final = "free-db"


class AuraProvider(Provider):
    """What both providers share: the connection to Aura, which is in no property and no state."""

    def configure(self, req: ConfigureRequest) -> None:
        """Take the settings of this run; they are looked at when Aura is asked."""
        super().configure(req)
        config = req.config
        self._config = {name: config.get(f"tenantry:{name}") for name in _setting_names()}

    def account(self) -> Account:
        """Return the connection that all resources of these settings share, also those of other stacks.

        :raises AuraSettingsError: the settings are not complete
        """
        from tenantry.aura.settings import read_settings

        run = self.surroundings
        return _account(read_settings(self._config.get, run.environment, run.folder))


class AuraInstanceProvider(AuraProvider):
    """Makes, changes and deletes an instance."""

    inputs = (*CHANGEABLE, *FIXED)
    working = ADOPTION

    def configure(self, req: ConfigureRequest) -> None:
        """Take the settings of this run."""
        super().configure(req)
        # Names of instances that the state holds. The engine checks what replaces one as if there were none before.
        self._held: set[str] = set()

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what Aura would refuse, before anything is made; ask only about what is new or changed."""
        if _olds:
            # By its new name too: a graph that is renamed is no new one.
            self._held |= {str(_olds.get("name")), str(news.get("name"))}
        judged = {name: news.get(name) for name in _JUDGED}
        if contains_unknowns(judged) or judged == {name: _olds.get(name) for name in _JUDGED}:
            return CheckResult(news, [])
        return CheckResult(
            news, [CheckFailure(fault.field, fault.message) for fault in self._faults(news)]
        )

    def _faults(self, news: dict[str, Any]) -> list[Fault]:
        from tenantry.aura.errors import AuraError
        from tenantry.aura.judging import Fault, name_fault

        wanted = _wanted(news)
        if fault := name_fault(wanted.target, wanted.name):
            return [fault]
        try:
            is_new = wanted.name not in self._held and not news.get("adoptInstanceId")
            fault = self.account().judge(wanted, is_new=is_new)
        except AuraError as error:
            return [Fault("name", f"{wanted.target}: {marked(error)}")]
        return [fault] if fault else []

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Rename and resize in place, and replace for the rest.

        The old one goes first: both have one name, and Aura counts instances.
        """
        changed = [name for name in self.inputs if _differs(_olds.get(name), _news.get(name))]
        return DiffResult(
            changes=bool(changed),
            replaces=[name for name in changed if name in FIXED],
            delete_before_replace=True,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the instance, or take over the one that is named, and return at once."""
        from tenantry.aura.instances import Adoption, make

        adopted = props.get("adoptInstanceId")
        adoption = (
            Adoption(adopted, props["adoptPassword"], props["adoptUsername"]) if adopted else None
        )
        inputs = self.given(props)
        wanted = _wanted(props)
        made = make(self.account().client, wanted, adoption)
        # Nothing that can fail from here on: the password was told once.
        return CreateResult(
            made.id,
            inputs
            | {
                "connectionUrl": made.connection_url,
                "username": made.username,
                "password": made.password,
                "createdAt": made.created_at,
            },
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Rename and resize; what Aura told once is carried over."""
        from tenantry.aura.instances import change

        wanted = {
            name: _news[name] for name in ("name", "memory") if _olds.get(name) != _news[name]
        }
        if wanted:
            change(self.account().client, _news["target"], _id, **wanted)
        return UpdateResult(
            self.given(_news) | {name: _olds.get(name) for name in INSTANCE_OUTPUTS}
        )

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at the instance. What Aura leaves out (of a paused one, or always) is as it was."""
        from tenantry.aura.presence import GoneError, look

        try:
            found = look(
                self.account().client,
                id_,
                tenant_id=props["tenantId"],
                created_at=props.get("createdAt") or "",
            )
        except GoneError:
            return ReadResult(None, {})
        live = (
            {
                "name": found.name,
                "memory": found.memory,
                "type": found.type,
                "cloud": found.cloud_provider,
                "region": found.region,
                "connectionUrl": found.connection_url,
            }
            if found
            else {}
        )
        outputs = props | {name: value for name, value in live.items() if value}
        return ReadResult(id_, outputs, self.given(outputs))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the instance; wait until it is gone where another one needs its place."""
        from tenantry.aura.removing import remove

        remove(
            self.account().client,
            _props["target"],
            _id,
            tenant_id=_props["tenantId"],
            created_at=_props.get("createdAt") or "",
            snapshot=bool(_props.get("snapshotBeforeDelete")),
            until_gone=_props["type"] == _FREE,
        )


class AuraReadyProvider(AuraProvider):
    """Waits for an instance, pauses it and resumes it."""

    inputs = (
        "target",
        "instanceId",
        "tenantId",
        "createdAt",
        "memory",
        "paused",
        "namespace",
        "app",
        "user",
        "catalog",
        *KEPT,
    )

    def configure(self, req: ConfigureRequest) -> None:
        """Take the settings of this run, and where the catalog is."""
        super().configure(req)
        self._record = GraphRecordProvider()
        self._record.configure(req)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Wait anew for another instance, another size, or a pause that begins or ends."""
        changed = [
            name
            for name in self.inputs
            if _differs(_olds.get(name), _news.get(name))
            and not (name in {*KEPT, "createdAt"} and contains_unknowns(_news.get(name)))
        ]
        return DiffResult(
            changes=bool(changed),
            replaces=["instanceId"] if "instanceId" in changed else [],
            delete_before_replace=True,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait."""
        return CreateResult(f"{props['instanceId']}/ready", self._wait(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Wait again."""
        return UpdateResult(self._wait(_news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look whether the instance is paused: Aura pauses some by itself."""
        from tenantry.aura.models import PAUSED, RUNNING
        from tenantry.aura.presence import GoneError, look
        from tenantry.aura.readiness import IS_PAUSED, READY

        try:
            found = look(
                self.account().client,
                props["instanceId"],
                tenant_id=props["tenantId"],
                created_at=props.get("createdAt") or "",
            )
        except GoneError:
            return ReadResult(None, {})
        outputs = dict(props)
        # The status of an operation under way does not say how it ends.
        if found and found.status in {*PAUSED, RUNNING}:
            paused = found.status in PAUSED
            outputs |= {"paused": paused, "status": IS_PAUSED if paused else READY}
        return ReadResult(id_, outputs, self.given(outputs))

    def _wait(self, props: dict[str, Any]) -> dict[str, Any]:
        from tenantry.aura.errors import AuraError
        from tenantry.aura.readiness import IS_PAUSED, READY, wait_until_ready

        try:
            uri = wait_until_ready(self.account().client, _awaited(props))
        except AuraError as error:
            self._tell_of(error, props)
            raise
        self._tell(props, "ready", uri)
        status = IS_PAUSED if props.get("paused") else READY
        return self.given(props) | {"uri": uri, "status": status}

    def _tell_of(self, error: AuraError, props: dict[str, Any]) -> None:
        from tenantry.aura.errors import InstanceError, UnfinishedError

        try:
            self._tell(props, "failed")
        except ProvisioningError as untold:
            kind = UnfinishedError if error.may_pass else InstanceError
            raise kind(f"{error}; and it could not be noted: {untold}") from None

    def _tell(self, props: dict[str, Any], status: str, uri: str | None = None) -> None:
        """Note in the catalog, where there is one, how far the graph is."""
        if props.get("catalog"):
            self._record.mark(props, status, uri)


class AuraInstance(Resource, module="tenantry", name="AuraInstance"):
    """An instance of Neo4j Aura, perhaps not running yet."""

    connectionUrl: pulumi.Output[str]  # noqa: N815 the property's name in the state
    username: pulumi.Output[str]
    password: pulumi.Output[str]
    createdAt: pulumi.Output[str]  # noqa: N815

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the instance.

        :param props: each input of `AuraInstanceProvider`; those of `ADOPTION` may be left out
        """
        secret = pulumi.ResourceOptions(additional_secret_outputs=["password", "adoptPassword"])
        super().__init__(
            AuraInstanceProvider(),
            name,
            {**dict.fromkeys(INSTANCE_OUTPUTS), **props},
            pulumi.ResourceOptions.merge(opts, secret),
        )


class AuraReady(Resource, module="tenantry", name="AuraReady"):
    """An instance that is running and answers, or that is paused. Deleting it does nothing."""

    uri: pulumi.Output[str]
    """Where a driver connects; known once it answers there."""
    status: pulumi.Output[str]
    """`ready` or `paused`."""

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the wait.

        :param props: each input of `AuraReadyProvider`, and `retries`, of what is noted in the catalog
        """
        secret = pulumi.ResourceOptions(additional_secret_outputs=["password"])
        super().__init__(
            AuraReadyProvider(),
            name,
            {**dict.fromkeys(("uri", "status")), **props},
            pulumi.ResourceOptions.merge(opts, secret),
        )


def _connect(settings: AuraSettings) -> Account:
    from tenantry.aura.account import Account
    from tenantry.aura.client import AuraClient

    return Account(AuraClient(settings))


_accounts: Final = Shared(_connect, lambda account: account.client.close())


def _account(settings: AuraSettings) -> Account:
    return _accounts.get(settings)


def _setting_names() -> list[str]:
    from tenantry.aura.settings import configuration_key, names

    return [configuration_key(name) for name in names()]


def _differs(old: object, new: object) -> bool:
    return bool(contains_unknowns(new)) or old != new


def _wanted(props: dict[str, Any]) -> Wanted:
    from tenantry.aura.judging import Wanted

    return Wanted(
        target=props["target"],
        name=props["name"],
        type=props["type"],
        cloud=props["cloud"],
        region=props["region"],
        memory=props["memory"],
        version=props["version"],
        tenant_id=props["tenantId"],
    )


def _awaited(props: dict[str, Any]) -> Awaited:
    from tenantry.aura.readiness import Awaited

    return Awaited(
        target=props["target"],
        instance_id=props["instanceId"],
        connection_url=props.get("connectionUrl") or "",
        username=props["username"],
        password=props["password"],
        memory=props["memory"],
        paused=bool(props.get("paused")),
    )
