"""From an app, or one of its users, to its graph: what the stack says of it, without printing it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tenantry.aura.query import Connection, QueryClient
from tenantry.errors import TenantryError, did_you_mean
from tenantry.running.stack import outputs

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoGraphError(TenantryError):
    """The stack holds no such graph; one line."""


def client_for(target: str, environment: Mapping[str, str] | None = None) -> QueryClient:
    """Return a client of the graph of an app (`acme/web`) or of one of its users (`acme/web/alice`).

    :param environment: the variables to run `pulumi` with; by default this process's
    :raises NoGraphError: the stack holds none
    :raises tenantry.running.stack.StackError: the stack cannot be read
    """
    found = outputs(os.environ if environment is None else environment, secrets=True)
    return QueryClient(connection_of(found.get("graphs", {}), target))


def connection_of(graphs: Mapping[str, Mapping[str, Any]], target: str) -> Connection:
    """Return the connection to a graph.

    :param graphs: the stack's output `graphs`, secrets in clear
    :raises NoGraphError: there is none of this name
    """
    facts = graphs.get(target)
    if facts is None:
        raise NoGraphError(f'the stack holds no graph "{target}"{did_you_mean(target, graphs)}')
    return Connection(facts["uri"], facts["user"], facts["password"], facts["database"])
