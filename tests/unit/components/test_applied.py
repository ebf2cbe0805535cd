import pulumi
import pytest

from components.applied import applied
from tenantry.registry.applied import AppliedApp
from tests.unit.components.recording import run

URN = "urn:pulumi:dev::tenantry::tenantry:app:TenantApp::acme/web"
OUTPUTS = {
    "app": "acme/web",
    "deletion": "retain",
    "organization": "org-test",
    "region": "aws-us-east-2",
    "postgresVersion": 17,
    "generation": 3,
    "branches": ["staging"],
}
STACK = "pulumi:pulumi:Stack"
TYPE = "tenantry:app:TenantApp"


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({}, []),
        (
            {
                URN: {"type": TYPE, "outputs": OUTPUTS},
                "urn:other": {"type": "neon:index/project:Project", "outputs": {"name": "x"}},
            },
            [
                AppliedApp(
                    "acme/web", "retain", "org-test", "aws-us-east-2", 17, 3, frozenset({"staging"})
                )
            ],
        ),
        (
            {URN: {"type": TYPE, "outputs": OUTPUTS | {"apiKeys": {"default": 2.0}}}},
            [
                AppliedApp(
                    "acme/web",
                    "retain",
                    "org-test",
                    "aws-us-east-2",
                    17,
                    3,
                    frozenset({"staging"}),
                    {"default": 2},
                )
            ],
        ),
        # Its URLs are in the stack's outputs, and the app's own say what a later run began.
        (
            {
                "urn:stack": {
                    "type": STACK,
                    "outputs": {"apps": {"acme/web": {"generation": 2.0}}, "urls": {}},
                },
                URN: {"type": TYPE, "outputs": OUTPUTS},
            },
            [
                AppliedApp(
                    "acme/web", "retain", "org-test", "aws-us-east-2", 17, 2, frozenset({"staging"})
                )
            ],
        ),
        (
            {
                "urn:stack": {
                    "type": STACK,
                    "outputs": {"apps": {"acme/web": {"keyGenerations": {"default": 4.0}}}},
                },
                URN: {"type": TYPE, "outputs": OUTPUTS | {"apiKeys": {"default": 5, "new": 1}}},
            },
            [
                AppliedApp(
                    "acme/web",
                    "retain",
                    "org-test",
                    "aws-us-east-2",
                    17,
                    3,
                    frozenset({"staging"}),
                    {"default": 4, "new": 1},
                )
            ],
        ),
        (
            {
                "urn:stack": {"type": STACK, "outputs": {"apps": {"acme/web": {"login": "a"}}}},
                URN: {"type": TYPE, "outputs": OUTPUTS},
            },
            [
                AppliedApp(
                    "acme/web", "retain", "org-test", "aws-us-east-2", 17, 3, frozenset({"staging"})
                )
            ],
        ),
        # A run that died before the app was complete left its component without outputs.
        ({URN: {"type": TYPE, "outputs": {}}}, []),
    ],
    ids=[
        "a new stack",
        "an app among other resources",
        "an app with API keys",
        "a rotation that did not reach its end",
        "a rotation of a key that did not reach its end",
        "outputs of before they told the generation",
        "an unfinished app",
    ],
)
def test_the_apps_of_the_last_run_are_read_from_the_state(
    state: dict[str, object], found: list[AppliedApp]
) -> None:
    seen: list[AppliedApp] = []

    def program() -> dict[str, pulumi.Output[object]]:
        seen.extend(applied().apps)
        return {}

    run(program, state=state)
    assert seen == found


def test_what_was_moved_out_of_the_stack_is_read_from_its_outputs() -> None:
    seen: dict[str, str] = {}

    def program() -> dict[str, pulumi.Output[object]]:
        seen.update(applied().moved)
        return {}

    moved = {"acme/web": "acme--web"}
    run(program, state={"urn:stack": {"type": STACK, "outputs": {"moved": moved}}})
    assert seen == moved
