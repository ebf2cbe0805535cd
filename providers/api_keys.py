"""An app's API key as a Pulumi resource.

The state refers to this module, `ApiKeyProvider` and the type `pulumi-python:dynamic/tenantry:ApiKey` by name: moving
or renaming one of them breaks every state that holds a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, UpdateResult

from providers.catalog import CatalogProvider, app_key
from providers.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from providers.provider import Properties
    from tenantry.catalog.rows import ApiKeyRow

RECORDED = "recorded"
MISSING = "missing from the catalog"


class ApiKeyProvider(CatalogProvider):
    """Makes a key once, and keeps its row in the catalog where there is one.

    The key itself is in the state only, encrypted. A key whose row was written and whose answer was lost was never
    given to anybody: the next run makes another one and revokes the first.
    """

    inputs = (
        "namespace",
        "app",
        "name",
        "prefix",
        "generation",
        "scopes",
        "expiresAt",
        "catalog",
        "record",
    )
    step = "keys"

    def create(self, props: Properties) -> CreateResult:
        """Make the key and write its row."""
        import secrets
        import time

        from tenantry.catalog.keys import SECRET_BYTES, compose, digest

        made = int(time.time())
        key = compose(props["prefix"], at=made, secret=secrets.token_bytes(SECRET_BYTES))
        outputs = self.given(props) | {
            "key": key,
            "hash": digest(key),
            "createdAt": made,
            "createdBy": _operator(self.surroundings.environment),
            "revokedAt": None,
        }
        return CreateResult(
            f"{props['app']}:{props['name']}:{int(props['generation'])}", self._save(outputs)
        )

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Write the row anew. The key stays as it is, and revoked where it was."""
        kept = {name: _olds.get(name) for name in _MADE}
        return UpdateResult(self._save(self.given(_news) | kept))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the row. A row that is gone never means that the key is: nobody could make the same one again."""
        if not props["catalog"]:
            return ReadResult(id_, props, self.given(props))
        from tenantry.catalog.rows import read_api_key

        row = self.look_up(
            props, lambda connection: read_api_key(connection, app_key(props), props["hash"])
        )
        if row is None:
            outputs = props | {"record": MISSING}
        else:
            outputs = props | {
                "record": RECORDED,
                "prefix": row.prefix,
                "scopes": list(row.scopes),
                "expiresAt": _text(row.expires_at),
                "revokedAt": _text(row.revoked_at),
            }
        return ReadResult(id_, outputs, self.given(outputs))

    def delete(self, _id: str, _props: Properties) -> None:
        """Revoke the key; its row stays."""
        if _props["catalog"]:
            from tenantry.catalog.rows import revoke_api_key

            self.in_catalog(_props, lambda connection: revoke_api_key(connection, _props["hash"]))

    def _save(self, outputs: Properties) -> Properties:
        if outputs["catalog"]:
            from tenantry.catalog.rows import save_api_key

            row = _row(outputs)
            self.in_catalog(
                outputs, lambda connection: save_api_key(connection, app_key(outputs), row)
            )
        return outputs


_MADE = ("key", "hash", "createdAt", "createdBy", "revokedAt")
"""What is made with the key, and stays."""


class ApiKey(Resource, module="tenantry", name="ApiKey"):
    """A generation of an app's API key. Deleting it revokes the key."""

    key: pulumi.Output[str]
    """The key, a secret."""

    def __init__(
        self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the key.

        :param props: the inputs of `ApiKeyProvider` but `record`, and `retries`; `catalog` is empty where there is none
        """
        super().__init__(
            ApiKeyProvider(),
            name,
            {**props, "record": RECORDED, **dict.fromkeys(_MADE)},
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["key"])
            ),
        )


def _row(props: Properties) -> ApiKeyRow:
    from datetime import UTC, datetime

    from tenantry.catalog.rows import ApiKeyRow

    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    return ApiKeyRow(
        key_hash=props["hash"],
        prefix=props["prefix"],
        name=props["name"],
        generation=int(props["generation"]),
        scopes=tuple(props["scopes"]),
        created_at=datetime.fromtimestamp(int(props["createdAt"]), UTC),
        created_by=props["createdBy"],
        expires_at=moment(props["expiresAt"]),
        revoked_at=moment(props["revokedAt"]),
    )


def _text(moment: datetime | None) -> str | None:
    from datetime import UTC

    return moment.astimezone(UTC).isoformat() if moment else None


def _operator(environment: Mapping[str, str]) -> str:
    """Name who runs this, as the environment or else the system knows the user."""
    import getpass

    # The order of `getpass.getuser`, which knows this process's environment only.
    said = (environment.get(name) for name in ("LOGNAME", "USER", "LNAME", "USERNAME"))
    try:
        return next(filter(None, said), None) or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
