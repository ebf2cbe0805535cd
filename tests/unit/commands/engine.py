"""A `pulumi` for `tenantry plan` and `tenantry drift`."""

from pathlib import Path
from typing import Any

from tests.fake_pulumi import Call, FakePulumi
from tests.unit.planning import support
from tests.unit.planning.support import PROJECT, Event, application, step

WEB = support.app()
LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file "
    "with `pulumi cancel`.\n  file:///s/.pulumi/locks/organization/tenantry/dev/1.json: created by ann@build-7 (pid 7) at "
    "2026-11-29T09:00:00Z\n"
)
"""What the engine says of a stack that another run holds."""


class Engine:
    """A folder with a project, and a `pulumi` that answers previews and looks with these events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "Pulumi.yaml").write_text("name: tenantry\n")
        (folder / "__main__.py").write_text("")
        self.pulumi = FakePulumi(folder / "bin")
        self.answers()

    def answers(self, *events: list[Event], code: int = 0) -> None:
        every = [each for part in events for each in part]
        for command in ("preview", "refresh"):
            self.pulumi.answers(command, events=every, code=code)

    @property
    def calls(self) -> list[Call]:
        return self.pulumi.calls


def changed(**fields: Any) -> list[Event]:
    after = support.app(**({"contact": "ops"} | fields))
    return application(WEB, after, step("same", PROJECT, "acme/web", old={}, new={}))
