"""An app as a stack holds it, read from the outputs that its component left in the state."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tenantry.clouds.table import USUAL
from tenantry.registry import tokens
from tenantry.registry.days import is_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tenantry.registry.models import Deletion


@dataclass(frozen=True)
class HandedOut:
    """The generations of an app whose secrets are in a stack's outputs, so clients have them.

    The new generation of a rotation that has not reached its end is not among them.
    """

    generation: int | None = None
    """The login's; None where the state does not tell."""
    api_keys: Mapping[str, int] = field(default_factory=dict)
    """By the key's name; a key of which the state does not tell is absent."""


@dataclass(frozen=True)
class AppliedApp:
    """An app as a stack holds it: what was in force when it was last applied."""

    id: str
    deletion: Deletion
    account: str
    """In its provider's cloud, such as a Neon organization; empty where the key implies it."""
    region: str
    postgres_version: int
    generation: int
    branches: frozenset[str]
    """Without those whose last day is over: Neon has deleted them."""
    api_keys: Mapping[str, int] = field(default_factory=dict)
    """The generation of each API key, by the key's name; empty also where the app was applied without keys."""
    in_catalog: bool = False
    """Whether the app has rows in a catalog."""
    graphs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By id, what Aura cannot change about each (`graphs.graph_place`)."""
    revoked_keys: frozenset[str] = frozenset()
    """The API keys of which no generation is valid any more."""
    namespace: str = ""
    """The registry's; empty where the state is older than this output."""
    logical_replication: bool = False
    """Whether it was turned on, which Neon cannot undo."""
    provider: str = USUAL.name
    """The cloud that its project is in."""
    formerly: tuple[str, ...] = ()
    """The ids that it had before in this stack, the newest first."""
    row: str = ""
    """The id of the row that it was asked for in; empty of an app of the file."""
    partly: str = ""
    """Another id that resources of it have, where a renaming was cut off; else empty."""

    def called(self, id_: str) -> AppliedApp:
        """Return it under another id."""
        length = len(self.id)
        return replace(
            self,
            id=id_,
            formerly=(self.id, *self.formerly),
            graphs={f"{id_}{graph[length:]}": place for graph, place in self.graphs.items()},
        )

    @classmethod
    def of(
        cls,
        outputs: Mapping[str, Any],
        handed_out: Mapping[str, HandedOut] = MappingProxyType({}),
        *,
        name: str = "",
    ) -> AppliedApp:
        """Read what the outputs of an app's component (`TenantApp`) say.

        Where a rotation did not reach its end nobody has the new URL or key, so the generation before counts.

        :param handed_out: by app, what the stack's outputs hold (`handed_out`)
        :param name: the component's name in the state; it is another than in the outputs where a renaming was cut off
        """
        formerly = tuple(outputs.get("formerly") or ())
        # A renaming that did not reach its end has left the stack's outputs under the id of before.
        ids = (outputs["app"], *formerly)
        given = next((handed_out[each] for each in ids if each in handed_out), HandedOut())
        generation = int(outputs["generation"])
        return cls(
            id=outputs["app"],
            deletion=outputs["deletion"],
            account=outputs["organization"],
            region=outputs["region"],
            postgres_version=int(outputs["postgresVersion"]),
            generation=min(generation, given.generation or generation),
            branches=frozenset(outputs["branches"]) - _expired_branches(outputs.get("declared")),
            in_catalog=bool(outputs.get("catalog")),
            # An app that was applied without API keys has no such output.
            api_keys={
                name: min(int(made), given.api_keys.get(name, int(made)))
                for name, made in outputs.get("apiKeys", {}).items()
            },
            # An older state may lack these three outputs.
            graphs=outputs.get("graphs") or {},
            revoked_keys=frozenset(outputs.get("revokedKeys") or ()),
            namespace=outputs.get("namespace") or "",
            logical_replication=bool(_declared_database(outputs).get("logical_replication")),
            provider=provider_of(outputs),
            formerly=formerly,
            row=outputs.get("row") or "",
            partly=name if name != outputs["app"] else "",
        )


def provider_of(outputs: Mapping[str, Any]) -> str:
    """Return the name of the cloud that an app's project is in.

    :param outputs: of the app's component
    """
    return str(_declared_database(outputs).get("provider") or USUAL.name)


def _declared_database(outputs: Mapping[str, Any]) -> dict[str, Any]:
    # A state from before a key says nothing of it.
    return json.loads(outputs.get("declared") or "{}").get("database") or {}


def _expired_branches(declared: str | None) -> frozenset[str]:
    branches = json.loads(declared)["database"].get("branches") or {} if declared else {}
    return frozenset(
        name
        for name, branch in branches.items()
        if (last := branch.get("expires")) and is_over(date.fromisoformat(last))
    )


def handed_out(stack: Mapping[str, Any]) -> dict[str, HandedOut]:
    """Return by app what a stack's outputs hold. The engine replaces them at the end of a run without failures.

    :param stack: the outputs of the stack itself
    """
    apps: Mapping[str, Mapping[str, Any]] = stack.get("apps") or {}
    # An older state may lack them.
    return {
        app: HandedOut(
            int(facts["generation"]) if "generation" in facts else None,
            {name: int(made) for name, made in (facts.get("keyGenerations") or {}).items()},
        )
        for app, facts in apps.items()
    }


def outputs_of(resources: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the outputs of the stack itself; empty where it has none."""
    own = (each.get("outputs") for each in resources if each["type"] == tokens.STACK)
    return next(own, None) or {}


def applied_apps(resources: Iterable[Mapping[str, Any]]) -> list[AppliedApp]:
    """List the apps among these resources as they were applied last, those of a run that did not finish too.

    An app whose very first run died before its component was complete is not listed.

    :param resources: of a whole stack, with `urn`, `type` and `outputs`
    """
    found = list(resources)
    urls = handed_out(outputs_of(found))
    return [
        AppliedApp.of(outputs, urls, name=str(each.get("urn") or "").rpartition("::")[2])
        for each in found
        if each["type"] == tokens.TENANT_APP and (outputs := each.get("outputs"))
    ]
