"""How the state of an app that was renamed is found: every resource has its old names for aliases."""

from collections.abc import Sequence

import pulumi


def aliasing(app_id: str, known_as: Sequence[str]) -> list[pulumi.ResourceTransformation]:
    """Make what gives an app's component, and all that is below it, an alias for each id of before.

    The engine lets a child inherit its parent's alias only in the run in which the parent itself is found by it. A run
    that was killed after that would find the rest no more. So each resource has aliases of its own, in every run.

    :param known_as: ids under which the state may have resources; empty for an app that was never renamed
    :return: the `transformations` of the component, which its children take over
    """

    def alias(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult:
        rest = args.name.removeprefix(app_id)
        names = pulumi.ResourceOptions(
            aliases=[pulumi.Alias(name=f"{each}{rest}") for each in known_as]
        )
        return pulumi.ResourceTransformationResult(
            args.props, pulumi.ResourceOptions.merge(args.opts, names)
        )

    return [alias] if known_as else []
