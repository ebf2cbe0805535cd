"""The options that several commands of `tenantry fleet` take, and what they select."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
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
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line, as it happens.")
]
AsDocument = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AsMarkdown = Annotated[
    bool,
    typer.Option("--markdown", help="Print Markdown, at most as long as a comment on GitHub."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it begins.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be moved, and move nothing.")
]


def open_fleet(registry: Path | None) -> Fleet:
    """Open the fleet of the current folder.

    :param registry: the registry's file; by default the setting `tenantry:registry`, or `tenants.yaml`
    """
    from tenantry.fleet.fleet import Fleet

    return Fleet(Path.cwd(), registry=registry)


def select(
    fleet: Fleet,
    only: list[str] | None,
    tenants: list[str] | None,
    environments: list[str] | None,
    since: str | None,
    shard: str | None,
) -> Selection:
    """Select what a run is about, by the options of a command.

    :raises TenantryError: an app, tenant, environment, commit or shard that there is not
    """
    from tenantry.fleet.selection import Selection, Shard

    return Selection(
        only=frozenset(only or ()),
        tenants=frozenset(tenants or ()),
        environments=frozenset(environments or ()),
        changed=None if since is None else fleet.changed_since(since),
        shard=None if shard is None else Shard.of(shard),
    )
