"""What this stack applied last, read from its own state."""

import pulumi

from components.tenant_app import TYPE
from tenantry.registry.transition import AppliedApp, handed_out

_STACK = "pulumi:pulumi:Stack"


def applied_apps() -> list[AppliedApp]:
    """List the apps in the stack's state, also those of a run that did not finish.

    The engine's built-in provider answers from the checkpoint (`pulumi:pulumi:readStackResourceOutputs`); nothing
    in the cloud is asked. An app whose very first run died before its component was complete is not listed.
    """
    stack = pulumi.runtime.get_root_resource()
    if stack is None:
        raise RuntimeError("applied_apps runs in a Pulumi program only")
    # The name comes from the registered stack, so the question waits for it: the engine writes the checkpoint
    # when it registers the stack, and a reader at that moment would find half a file.
    name = stack.urn.apply(lambda urn: urn.split("::")[0].rsplit(":", 1)[-1])
    state = pulumi.runtime.invoke(
        "pulumi:pulumi:readStackResourceOutputs", {"stackName": name}
    ).value
    resources = (state or {}).get("outputs", {}).values()
    urls = next((handed_out(each["outputs"]) for each in resources if each["type"] == _STACK), {})
    return [
        AppliedApp.of(resource["outputs"], urls)
        for resource in resources
        if resource["type"] == TYPE and resource["outputs"]
    ]
