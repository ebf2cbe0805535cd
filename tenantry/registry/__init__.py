"""The registry: `tenants.yaml` read, checked and completed.

    registry = load("tenants.yaml")
    for app in registry.apps:
        app.database.statement_timeout, app.names.project

`written` is what an operator may write, `models` what the program gets, `names` every derived name,
`checks` the rules between values. Nothing here knows Pulumi, and nothing here reaches the network.
"""

from tenantry.registry.loading import load, parse
from tenantry.registry.models import App, Registry
from tenantry.registry.names import AppNames
from tenantry.registry.problems import Problem, RegistryError
from tenantry.registry.selection import SelectionError, select

__all__ = [
    "App",
    "AppNames",
    "Problem",
    "Registry",
    "RegistryError",
    "SelectionError",
    "load",
    "parse",
    "select",
]
