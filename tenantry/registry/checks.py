"""Rules that concern several values of one app, checked once its defaults are in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tenantry.clouds import aura, neon, table
from tenantry.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tenantry.registry.document import Path
    from tenantry.registry.models import App, Graph


class Finding(NamedTuple):
    """A broken rule. `paths`: the values it concerns, seen from the app, the likeliest to be changed first."""

    paths: tuple[Path, ...]
    message: str


def check(app: App) -> Iterator[Finding]:
    """Find every rule that `app` breaks."""
    yield from _provider(app)
    yield from _compute(app)
    yield from _repeated(app)
    yield from _revoked(app)
    yield from _addresses(app)
    yield from _window(app)
    yield from _branches(app)
    yield from _quotas(app)
    yield from _graph(app)
    yield from _users(app)
    yield from _revision(app)


def check_together(apps: Iterable[App]) -> Iterator[tuple[App, Finding]]:
    """Find every rule that apps break together, each with the later of them."""
    takers: dict[str, App] = {}
    for app in apps:
        if app.adopt is None:
            continue
        first = takers.setdefault(app.adopt.project, app)
        if first is not app:
            message = f"{first.id} adopts the same project (line {first.location.line}): a project is one app's"
            yield app, Finding((("adopt", "project"),), message)


def _provider(app: App) -> Iterator[Finding]:
    """Refuse a region that the app's provider does not have, and keys that only another one has."""
    providers = table.databases()
    own = providers[app.database.provider]
    place = ("database", "provider")
    if app.region not in own.regions:
        message = (
            f"{app.region} is not a region of {own.title}: write one of {', '.join(own.regions)}"
        )
        yield Finding((("region",), place), message)
    if (version := app.database.postgres_version) not in own.postgres_versions:
        allowed = ", ".join(map(str, own.postgres_versions))
        message = f"{own.title} has no PostgreSQL {version}: write one of {allowed}"
        yield Finding((("database", "postgres_version"), place), message)
    if app.adopt and own is not neon.NEON:
        message = f"{own.title} has no project to take over: remove it, or write another provider"
        yield Finding((("adopt",), place), message)
    if foreign := {key for each in providers.values() for key in each.keys} - own.keys:
        usual = type(app.database)()
        for key in sorted(foreign):
            if getattr(app.database, key) != getattr(usual, key):
                message = (
                    f"{own.title} has nothing of this kind: remove it, or write another provider"
                )
                yield Finding((("database", key), place), message)


def _compute(app: App) -> Iterator[Finding]:
    if "compute" not in table.databases()[app.database.provider].keys:
        return
    smallest, largest = ("database", "compute", "min_cu"), ("database", "compute", "max_cu")
    least, most = app.database.compute.min_cu, app.database.compute.max_cu
    sizes = f"min_cu {least:g} and max_cu {most:g}"
    if least > most:
        yield Finding((smallest, largest), f"{sizes}: the least must not be above the most")
    elif least < most and most > max(neon.AUTOSCALING_SIZES):
        message = f"{sizes}: a compute scales up to 16 CU; a larger one has min_cu = max_cu"
        yield Finding((largest, smallest), message)
    elif most - least > neon.AUTOSCALING_SPAN:
        message = (
            f"{sizes} are more than 8 CU apart: Neon scales within 8; raise min_cu or lower max_cu"
        )
        yield Finding((largest, smallest), message)
    limit, available = app.database.connection_limit, neon.available_connections(most)
    if limit > available:
        message = (
            f"{limit} is more than the {available} connections of a compute with max_cu {most:g}: "
            "lower it, or raise max_cu"
        )
        yield Finding((("database", "connection_limit"), largest), message)


def _repeated(app: App) -> Iterator[Finding]:
    lists: list[tuple[Path, Sequence[str | int]]] = [
        (("services",), [service.name for service in app.services]),
        (("database", "extensions"), app.database.extensions),
    ]
    if app.database.maintenance_window:
        days = app.database.maintenance_window.weekdays
        lists.append((("database", "maintenance_window", "weekdays"), days))
    for i, key in enumerate(app.api_keys):
        lists += [
            (("api_keys", i, "scopes"), key.scopes),
            (("api_keys", i, "revoked"), key.revoked),
        ]
    for path, values in lists:
        for index in _second_ones(values):
            yield Finding(
                ((*path, index),), f"{shown(values[index])} is in the list twice: keep one"
            )
    names = [key.name for key in app.api_keys]
    for index in _second_ones(names):
        message = f'another key of the app is named "{names[index]}": names are unique in an app'
        yield Finding((("api_keys", index, "name"),), message)
    for index, key in enumerate(app.api_keys):
        if not key.scopes:
            message = "a key without scopes can do nothing: name one, or delete the key"
            yield Finding((("api_keys", index, "scopes"),), message)


def _revoked(app: App) -> Iterator[Finding]:
    for index, key in enumerate(app.api_keys):
        for place, generation in enumerate(key.revoked):
            if generation > key.generation:
                message = (
                    f'generation {generation} of the key "{key.name}" does not exist: the current one is '
                    f"{key.generation}"
                )
                paths = ("api_keys", index, "revoked", place), ("api_keys", index, "generation")
                yield Finding(paths, message)


def _addresses(app: App) -> Iterator[Finding]:
    seen: dict[tuple[int, int, int], str] = {}
    for index, word in enumerate(app.database.allowed_ips):
        span = _span(word)
        if span in seen:
            again = "twice" if word == seen[span] else f'already, as "{seen[span]}"'
            message = f'"{word}" is in the list {again}: keep one'
            yield Finding((("database", "allowed_ips", index),), message)
        else:
            seen[span] = word


def _window(app: App) -> Iterator[Finding]:
    window, place = app.database.maintenance_window, ("database", "maintenance_window")
    if window and not window.weekdays:
        message = "a window without days never opens: name one, or delete the window"
        yield Finding(((*place, "weekdays"),), message)
    if window and window.start == window.end:
        message = f"begins and ends at {window.start}: write another time for one of the two"
        yield Finding(((*place, "end"), (*place, "start")), message)


def _span(entry: str) -> tuple[int, int, int]:
    # The version of IP, the first address and the last: equal for all spellings of an entry.
    # Imported here: most registries have no allow-list.
    import ipaddress

    low, _, high = entry.partition("-")
    first, last = ipaddress.ip_network(low), ipaddress.ip_network(high or low)
    return first.version, int(first.network_address), int(last.broadcast_address)


def _second_ones(values: Sequence[str | int]) -> list[int]:
    if len(set(values)) == len(values):
        return []
    return [index for index, value in enumerate(values) if value in values[:index]]


_NOT_DELETED: Final = (
    "Neon does not delete a project with a protected branch: "
    "write protected: false, or another deletion"
)


def _branches(app: App) -> Iterator[Finding]:
    if app.database.protected and app.deletion == "delete":
        yield Finding((("database", "protected"), ("deletion",)), _NOT_DELETED)
    for branch in app.database.branches:
        path = ("database", "branches", branch.name)
        if branch.name == "main":
            message = "every project has its main branch already: remove this one, or rename it"
            yield Finding((path,), message)
        if branch.protected and branch.expires:
            message = "Neon deletes no protected branch: write protected: false, or no last day"
            yield Finding(((*path, "expires"), (*path, "protected")), message)
        elif branch.protected and app.deletion == "delete":
            yield Finding(((*path, "protected"), ("deletion",)), _NOT_DELETED)


def _quotas(app: App) -> Iterator[Finding]:
    for name, count, quota in (
        ("api_keys", len(app.api_keys), app.quotas.api_keys),
        ("services", len(app.services), app.quotas.services),
    ):
        if count > quota:
            message = (
                f"{count} of them, and the quota is {quota}: remove some, or raise quotas.{name}"
            )
            yield Finding(((name,), ("quotas", name)), message)


def _graph(app: App) -> Iterator[Finding]:
    for key, graph in (("graph", app.graph), ("graphs_per_user", app.graphs_per_user)):
        if graph and graph.type == aura.FREE:
            yield from _free_graph(key, graph)


def _free_graph(key: str, graph: Graph) -> Iterator[Finding]:
    for name, value, only in (
        ("cloud", graph.cloud, aura.FREE_CLOUD),
        ("memory", graph.memory, aura.FREE_MEMORY),
    ):
        if value != only:
            message = f'"{value}" is not offered with type free-db: write {only}, or another type'
            yield Finding(((key, name), (key, "type")), message)
    for name, wanted in (
        ("paused", graph.paused),
        ("snapshot_before_delete", graph.snapshot_before_delete),
    ):
        if wanted:
            message = "is not offered with type free-db: write false, or another type"
            yield Finding(((key, name), (key, "type")), message)


def _users(app: App) -> Iterator[Finding]:
    users = app.graphs_per_user.users if app.graphs_per_user else ()
    for index in _second_ones(users):
        message = f'"{users[index]}" is in the list twice: keep one'
        yield Finding(
            (("graphs_per_user", "users", index), ("graphs_per_user", "users_file")), message
        )


def _revision(app: App) -> Iterator[Finding]:
    source = app.database.schema_source
    if source is None or source.template is None or source.path or source.revision == "head":
        return
    # Imported here: only a pinned revision pays for reading the history.
    from tenantry.schemas.errors import SchemaError
    from tenantry.schemas.history import history_of

    try:
        history_of(source.template, None)[0].resolve(source.revision)
    except SchemaError as error:
        yield Finding((("database", "schema", "revision"),), str(error))
