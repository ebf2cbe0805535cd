"""An app's migrated schema as a Pulumi resource.

The state refers to this module and to `MigrationProvider` by name, and to the type
`pulumi-python:dynamic/tenantry:Migration`: moving or renaming one of them breaks every state that holds a migration.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    ReadResult,
    UpdateResult,
)

from providers.provider import Provider
from providers.resource import Resource
from tenantry.provisioning.retries import repeat
from tenantry.retries import RetryPolicy
from tenantry.schemas.templates import TEMPLATES

if TYPE_CHECKING:
    from tenantry.schemas.connecting import TenantDatabase
    from tenantry.schemas.migrating import Schema, Wanted


class MigrationProvider(Provider):
    """Applies a history. Whom to connect to and with what comes with the properties of each call."""

    inputs = (
        "app",
        "host",
        "port",
        "database",
        "owner",
        "password",
        "schema",
        "group",
        "template",
        "path",
        "target",
        "revisions",
        "digest",
        "allowDowngrade",
        "drift",
    )
    working = ("reaching", "retries")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse a way down that is not allowed, so that a preview says so."""
        gone = _beyond(_olds.get("revisions"), news.get("revisions"))
        failures = []
        if gone and not news.get("allowDowngrade"):
            reason = (
                f"{news['app']}: revision {news['target']} would take back {', '.join(gone)}, with the data in what they made: "
                "write allow_downgrade: true beside the revision, or name a later one"
            )
            failures.append(CheckFailure("revisions", reason))
        return CheckResult(news, failures)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Migrate, from whatever revision is there."""
        return CreateResult(
            f"{props['app']}:{props['schema']}", self.given(props) | self._migrate(props)
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Migrate from the recorded revision; stop where the structure was changed by hand."""
        return UpdateResult(self.given(_news) | self._migrate(_news, _recorded(_olds)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read the live revision and structure; `drift` says what differs from what was migrated."""
        from tenantry.schemas.migrating import drift, read_schema
        from tenantry.schemas.structure import structure_digest

        recorded = _recorded(props)
        live = read_schema(_database(props), recorded.version_table)
        if live is None:
            return ReadResult(None, {})
        outputs = props | {
            "revision": ",".join(live.heads),
            "structure": structure_digest(live.objects),
            "drift": drift(recorded, live),
        }
        return ReadResult(id_, outputs, self.given(outputs))

    def _migrate(self, props: dict[str, Any], recorded: Schema | None = None) -> dict[str, Any]:
        from tenantry.schemas.migrating import Wanted
        from tenantry.schemas.structure import structure_digest

        wanted = Wanted(
            template=props.get("template"),
            path=props.get("path"),
            revisions=tuple(props["revisions"]),
            allow_downgrade=bool(props["allowDowngrade"]),
        )
        policy = RetryPolicy.of(props.get("retries"))
        database = _database(props)
        done = repeat(policy, "schema", lambda: self._run(database, wanted, recorded))
        return {
            "revision": ",".join(done.heads),
            "heads": list(done.heads),
            "structure": structure_digest(done.objects),
            # As one text: otherwise the engine would take a schema's hundred entries apart at each step.
            "objects": json.dumps(dict(done.objects)),
            "versionTable": done.version_table,
        }

    def _run(self, database: TenantDatabase, wanted: Wanted, recorded: Schema | None) -> Schema:
        ours = wanted.path is None and wanted.template in TEMPLATES
        if ours or not self.served:
            from tenantry.schemas.migrating import migrate

            return migrate(database, wanted, recorded)
        # An operator's or a package's code, which shares no process with what else a command does.
        from tenantry.schemas.apart import migrate_apart

        run = self.surroundings
        return migrate_apart(
            database, wanted, recorded, environment=run.environment, folder=run.folder
        )


class Migration(Resource, module="tenantry", name="Migration"):
    """An app's schema at a revision. Deleting it does nothing: the tables go with the database."""

    revision: pulumi.Output[str]
    """The revision that is applied; several are joined by commas."""
    structure: pulumi.Output[str]
    """A digest of the live structure."""

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the migration.

        :param props: the inputs of `MigrationProvider` but `drift`, which is what a refresh finds and nobody wishes
            for; and the retry policies `reaching` (of connections) and `retries`
        """
        outputs = dict.fromkeys(("revision", "heads", "structure", "objects", "versionTable"))
        secret = pulumi.ResourceOptions(additional_secret_outputs=["password"])
        super().__init__(
            MigrationProvider(),
            name,
            {**props, "drift": [], **outputs},
            pulumi.ResourceOptions.merge(opts, secret),
        )


def _beyond(before: object, after: object) -> list[str]:
    if not isinstance(before, list) or not isinstance(after, list):
        return []  # a new resource, or not known yet
    return [revision for revision in before if revision not in after]


def _recorded(outputs: dict[str, Any]) -> Schema:
    from tenantry.schemas.migrating import Schema

    return Schema(tuple(outputs["heads"]), json.loads(outputs["objects"]), outputs["versionTable"])


def _database(props: dict[str, Any]) -> TenantDatabase:
    from tenantry.schemas.connecting import TenantDatabase

    return TenantDatabase(
        app=props["app"],
        host=props["host"],
        port=int(props["port"]),  # the engine's numbers are all floating
        name=props["database"],
        owner=props["owner"],
        password=props["password"],
        schema=props["schema"],
        group=props["group"],
        reaching=RetryPolicy.of(props.get("reaching")),
    )
