"""What this stack applied last, read from its own state."""

import pulumi

from components.tenant_app import TYPE
from tenantry.registry.removal import AppliedApp


def applied_apps() -> list[AppliedApp]:
    """List the apps in the stack's state, also those of a run that did not finish.

    The engine's built-in provider answers from the checkpoint that the run started with
    (`pulumi:pulumi:readStackResourceOutputs`); nothing in the cloud is asked.
    """
    state = pulumi.runtime.invoke(
        "pulumi:pulumi:readStackResourceOutputs", {"stackName": pulumi.get_stack()}
    ).value
    resources = (state or {}).get("outputs", {}).values()
    return [
        AppliedApp(id=outputs["app"], deletion=outputs["deletion"])
        for resource in resources
        if resource["type"] == TYPE and (outputs := resource["outputs"])
    ]
