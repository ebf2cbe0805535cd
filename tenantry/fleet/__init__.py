"""Runs over many stacks, one for each app: the only room of `tenantry` that drives the engine through Pulumi's SDK.

    from tenantry.fleet import provision

    print(provision("acme/web").url)

Data flows one way:

- `project` says where everything is, `inputs` what each app is made from, `selection` and `revisions` which apps a run
  is about. `outlook` compares them with what was applied last, without an engine.
- `fleet` has `scheduling` work on a bounded number of stacks (`workers`), each by one process of the engine.
- `failures` judges what went wrong, callers hear `events`, and `journal` keeps a record. `provisioning` is all this for
  one app.
- `listing` compares the clouds' lists with the states.
- `moves` takes apps from one big stack to a stack each, and back. `copying` takes the states to another backend.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenantry.fleet.fleet import Fleet
    from tenantry.fleet.provisioning import (
        Provisioned,
        ProvisioningFailedError,
        provision,
        provision_async,
    )
    from tenantry.fleet.selection import Selection, Shard

__all__ = [
    "Fleet",
    "Provisioned",
    "ProvisioningFailedError",
    "Selection",
    "Shard",
    "provision",
    "provision_async",
]

_WHERE = {
    "Fleet": "fleet",
    "Provisioned": "provisioning",
    "ProvisioningFailedError": "provisioning",
    "Selection": "selection",
    "Shard": "selection",
    "provision": "provisioning",
    "provision_async": "provisioning",
}


def __getattr__(name: str) -> object:
    """Import a part when it is asked for: a command that needs one of them does not pay for the others."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
