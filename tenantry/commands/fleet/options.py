"""The options that several commands of `tenantry fleet` take, and what they select."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.options import AsJson

if TYPE_CHECKING:
    from tenantry.fleet.events import Summary
    from tenantry.fleet.fleet import Fleet
    from tenantry.fleet.selection import Selection

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="APP", help="This app; may be given more than once."),
]
Moved = Annotated[
    list[str] | None,
    typer.Option("--app", "--only", metavar="APP", help="This app; may be given more than once."),
]
Tenants = Annotated[
    list[str] | None,
    typer.Option("--tenant", metavar="TENANT", help="The apps of this tenant; more than once."),
]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment", metavar="ENVIRONMENT", help="production, staging or development."
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--changed-since", metavar="REF", help="Apps that differ from the registry at this commit."
    ),
]
ShardOf = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="One of N parts of the fleet, by the apps' ids."),
]
Every = Annotated[bool, typer.Option("--all", help="Also apps that nothing changed about.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-destroy",
        metavar="APP",
        help="An app that may leave, or lose something for good, beside others; more than once.",
    ),
]
Parallel = Annotated[
    int | None,
    typer.Option(
        "--parallel", min=1, help="How many stacks at once. Default: by cores and memory."
    ),
]
File = Annotated[
    Path | None,
    typer.Option("--registry", help="The registry. Default: tenantry:registry, or tenants.yaml."),
]
AsMarkdown = Annotated[
    bool,
    typer.Option("--markdown", help="Print Markdown, at most as long as a comment on GitHub."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it begins.")]

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be moved, and move nothing.")
]


@dataclass(frozen=True)
class Selecting:
    """Which apps a command is about. The ids, tenants and environments that are named must be there."""

    only: Only = None
    tenant: Tenants = None
    environment: Environments = None
    shard: ShardOf = None
    registry: File = None

    def named(self) -> bool:
        """Tell whether anything was selected."""
        return bool(self.only or self.tenant or self.environment or self.shard)

    def open(self) -> Fleet:
        """Open the fleet of the current folder."""
        from tenantry.fleet.fleet import Fleet

        return Fleet(Path.cwd(), registry=self.registry)

    def of(self, fleet: Fleet, since: str | None = None) -> Selection:
        """Select what a run is about.

        :param since: only apps that differ from the registry at this commit
        :raises TenantryError: an app, tenant, environment, commit or shard that there is not
        """
        from tenantry.fleet.selection import Selection, Shard

        return Selection(
            only=frozenset(self.only or ()),
            tenants=frozenset(self.tenant or ()),
            environments=frozenset(self.environment or ()),
            changed=None if since is None else fleet.changed_since(since),
            shard=None if self.shard is None else Shard.of(self.shard),
        )


@dataclass(frozen=True)
class Running(Selecting):
    """Which apps a run is about, and what it may do."""

    changed_since: Since = None
    every: Every = False
    allow_destroy: Allow = None
    parallel: Parallel = None

    def named(self) -> bool:
        """Tell whether anything was selected, or allowed."""
        return super().named() or bool(self.changed_since or self.every or self.allow_destroy)

    def of(self, fleet: Fleet, since: str | None = None) -> Selection:
        """Select what a run is about."""
        return super().of(fleet, since or self.changed_since)


@dataclass(frozen=True)
class Moving:
    """Which apps are moved, and how."""

    only: Moved = None
    tenant: Tenants = None
    registry: File = None
    dry_run: DryRun = False
    yes: Yes = False
    as_json: AsJson = False


def tell_end_of(fleet: Fleet, summary: Summary) -> None:
    """Tell those whom the registry names how a run ended, and say who could not be told."""
    if summary.results:
        from tenantry.fleet.notices import tell_end
        from tenantry.presenting.notes import note

        tell_end(fleet.project, summary, note)
