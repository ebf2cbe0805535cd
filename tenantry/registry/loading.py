"""From a file to a Registry: read, validate, apply defaults, check, and report all faults at once."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_origin

from pydantic import ValidationError

from tenantry.clouds import table
from tenantry.errors import did_you_mean, shown
from tenantry.registry import checks, models, renamed
from tenantry.registry.document import Map, dotted
from tenantry.registry.problems import Problem, RegistryError
from tenantry.registry.reading import read
from tenantry.registry.scalars import EMPTY
from tenantry.registry.templates import resolved
from tenantry.registry.users import UsersError, read_users
from tenantry.registry.written import registry as written
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import NotTextError, wrong_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from tenantry.registry.document import Document, Path
    from tenantry.registry.written.templates import Template

NAMESPACE: Final = "tenantry"
"""The namespace of a registry that names none."""


@contextmanager
def _paused_collector() -> Iterator[None]:
    """Keep the garbage collector from a large file's values: it would go through them often, and free none.

    What there is at the end is left out of later collections too, or the next one would take 0.3 s for 10,000 apps. It
    is freed when nothing refers to it any more, as everything is that is in no circle.
    """
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if ran:
            gc.enable()


def load(path: FilePath | str) -> models.Registry:
    """Read and check the registry in the file `path`.

    :raises RegistryError: with every problem of the file, in the order of the lines; a file that cannot be read is one
        problem without a line
    """
    file = str(path)
    try:
        content = FilePath(path).read_bytes()
    except FileNotFoundError:
        raise RegistryError(
            [Problem(file, 0, 0, "", "does not exist: name the registry's file, or create it")]
        ) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise RegistryError([Problem(file, 0, 0, "", message)]) from None
    return parse(content, file)


@_paused_collector()
def parse(content: bytes, file: str = "tenants.yaml") -> models.Registry:
    """Check a registry that is in memory; `file` is its name in messages. Raises as `load` does."""
    source = read(content, file)
    faults = _Faults(source)
    registry = _Resolver(source, faults).registry(_validate(source, faults))
    if faults.problems:
        raise RegistryError(faults.problems)
    return registry


class _Faults:
    """The problems so far, and the paths that have one. What depends on such a path is not checked."""

    def __init__(self, source: Document) -> None:
        self.source = source
        self.problems = list(source.problems)
        self.bad = set(source.bad)
        self.above = {path[:n] for path in source.bad for n in range(1, len(path))}

    def add(self, path: Path, message: str, *, key: bool = False, missing: bool = False) -> None:
        """Record a problem at `path`: at its value, or its `key`, or where it is `missing`."""
        place = self.source.locate(path[:-1] if missing else path, key=key or missing)
        if place.origin:
            message += f" (the value is written at line {place.origin.line})"
        seen = path if missing else path[: place.depth]
        problem = Problem(self.source.file, place.at.line, place.at.column, dotted(seen), message)
        self.problems.append(problem)
        self.bad.add(seen)
        self.above.update(seen[:n] for n in range(1, len(seen)))

    def covers(self, path: Path) -> bool:
        """Whether `path`, something that it is part of, or a part of it has a problem."""
        return path in self.above or any(path[:n] in self.bad for n in range(1, len(path) + 1))


def _validate(source: Document, faults: _Faults) -> written.Registry:
    """Return the registry as written; where it has faults, what is left without the faulty values."""
    if not isinstance(source.root, Map):
        faults.add((), wrong_kind("a mapping with version and tenants", source.root))
        raise RegistryError(faults.problems)
    dropped = {_up_to_list(path) for path in source.bad}
    content: dict[str, object] = source.root
    while True:
        if dropped:
            content = {"version": 1, "tenants": {}} | _without(source.root, dropped, ())
        try:
            return written.Registry.model_validate(content)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        for each in [each for each in errors if not faults.covers(_path(each))]:
            _report(each, faults)
        more = {_to_drop(each) for each in errors}
        if more <= dropped:
            raise RegistryError(faults.problems)
        dropped |= more


def _report(error: ErrorDetails, faults: _Faults) -> None:
    path = _path(error)
    kind = error["type"]
    at_key = kind == "extra_forbidden" or _is_about_key(error)
    message = _message(error, path, faults.source)
    faults.add(path, message, key=at_key, missing=kind == "missing")


def _is_about_key(error: ErrorDetails) -> bool:
    # pydantic ends the place of a key that breaks a rule with this step; a key may also be called so.
    return error["type"] == "value_error" and error["loc"][-1] == "[key]"


def _path(error: ErrorDetails) -> Path:
    return error["loc"][:-1] if _is_about_key(error) else error["loc"]


def _to_drop(error: ErrorDetails) -> Path:
    """Return the smallest part of the file without which this error does not come again."""
    path = _path(error)
    return _up_to_list(path[:-1] if error["type"] == "missing" and len(path) > 1 else path)


def _up_to_list(path: Path) -> Path:
    # A whole list is dropped: without one item, the others would have other numbers.
    return next((path[:n] for n, step in enumerate(path) if isinstance(step, int)), path)


def _without(value: dict[str, object], dropped: set[Path], path: Path) -> dict[str, object]:
    kept = {key: each for key, each in value.items() if (*path, key) not in dropped}
    return {
        key: _without(each, dropped, (*path, key)) if isinstance(each, dict) else each
        for key, each in kept.items()
    }


_KINDS: Final = {"model_type": "a mapping", "dict_type": "a mapping", "list_type": "a list"}


def _message(error: ErrorDetails, path: Path, source: Document) -> str:
    match error["type"]:
        case "missing":
            return _missing(path)
        case "extra_forbidden":
            known = _keys_beside(path)
            hint = did_you_mean(str(path[-1]), known)
            return f"is not a key here: write one of {', '.join(known)}{hint}"
        case "value_error":
            reason = error["ctx"]["error"]
            if isinstance(reason, NotTextError):
                return f'must be text, not {reason}: write it in quotes, "{source.written(path)}"'
            return str(reason)
        case kind if error["input"] is EMPTY:
            return _empty(path, _KINDS[kind])
        case kind:
            return wrong_kind(_KINDS[kind], error["input"])


def _missing(path: Path) -> str:
    match path:
        case ("version",):
            return 'is missing: the file starts with "version: 1"'
        case ("tenants",):
            return (
                'is missing: the file may be cut off; a registry without tenants says "tenants: {}"'
            )
        case ("tenants", _, "apps"):
            return 'is missing: the file may be cut off; a tenant without apps says "apps: {}"'
        case _:
            return "is missing: write it"


def _empty(path: Path, wanted: str) -> str:
    brackets = "{}" if wanted == "a mapping" else "[]"
    match path:
        case ("tenants",):
            remedy = 'a registry without tenants says "tenants: {}"'
        case ("tenants", _):
            remedy = 'a tenant has at least "apps: {}"'
        case ("tenants", _, "apps"):
            remedy = 'a tenant without apps says "apps: {}"'
        case ("tenants", _, "apps", app):
            remedy = f"an app that takes every default is written {shown(f'{app}: {{}}')}"
        case (*_, str(key)):
            remedy = f"write {shown(f'{key}: {brackets}')} to add nothing, or delete the key"
        case _:
            remedy = "write the item, or delete it"
    return f"is empty: the file may be cut off here; {remedy}"


def _keys_beside(path: Path) -> list[str]:
    """Return the keys that the format knows where the last step of `path` stands."""
    model: Any = written.Registry
    for step in path[:-1]:
        if isinstance(model, type) and issubclass(model, Written):
            fields = model.model_fields
            model = next(f.annotation for n, f in fields.items() if step in (n, f.alias))
        else:
            model = get_args(model)[-1]
        while get_origin(model) not in {None, dict, list}:
            model = get_args(model)[0]  # X of `X | None` and of `Annotated[X, …]`
    return [field.alias or name for name, field in model.model_fields.items()]


class _Place(NamedTuple):
    """An app's place in the file, and those of the values that it takes its defaults from."""

    app: Path
    tenant: Path

    def candidates(self, path: Path) -> Iterator[Path]:
        """Where the app's value at `path` may be written, nearest first."""
        yield (*self.app, *path)
        if path[0] == "quotas":
            yield (*self.tenant, *path)
        yield ("defaults", *path)


class _Resolver:
    """Makes complete apps of what is written."""

    def __init__(self, source: Document, faults: _Faults) -> None:
        self.source = source
        self.faults = faults
        # Reported at the end, once for all apps that share the fault. A fault in the defaults must not hide the other
        # faults of the same app.
        self.found: dict[tuple[Path, str], None] = {}
        self.templates: Mapping[str, Template] = {}

    def registry(self, registry: written.Registry) -> models.Registry:
        namespace = registry.namespace or NAMESPACE
        self.templates = registry.templates or {}
        defaults = _given(registry.defaults)
        tenants, apps = [], []
        for label, tenant in registry.tenants.items():
            whom = models.Tenant(
                label=label,
                name=tenant.name or label,
                contact=tenant.contact,
                renamed_from=tuple(tenant.renamed_from or ()),
            )
            tenants.append(whom)
            inherited = _merged(
                defaults, {"quotas": quotas} if (quotas := _given(tenant.quotas)) else {}
            )
            apps += [
                self.app(namespace, whom, name, _merged(inherited, _given(app)))
                for name, app in tenant.apps.items()
            ]
        for finding in renamed.check(tenants, apps):
            if not any(self.faults.covers(path) for path in finding.paths):
                self.found[finding.paths[0], finding.message] = None
        for late, finding in checks.check_together(apps):
            self.report(finding, _Place(("tenants", late.tenant, "apps", late.name), ()))
        for path, message in self.found:
            self.faults.add(path, message)
        return models.Registry(
            version=registry.version,
            namespace=namespace,
            limits=models.Limits(**_given(registry.limits)),
            tenants=tuple(tenants),
            apps=renamed.with_tenants(tenants, apps),
        )

    def app(
        self, namespace: str, tenant: models.Tenant, name: str, settings: dict[str, Any]
    ) -> models.App:
        place = _Place(("tenants", tenant.label, "apps", name), ("tenants", tenant.label))
        for key, stand_in in (("environment", "development"), ("region", table.USUAL.regions[0])):
            if key not in settings:
                if not any(self.faults.covers(path) for path in place.candidates((key,))):
                    message = "is missing: write it here or in defaults"
                    self.faults.add((*place.app, key), message, missing=True)
                # The rest of the app is still checked; the registry itself is refused.
                settings = settings | {key: stand_in}
        if database := settings.get("database"):
            database = self.with_template(_with_branch_names(database), place)
            settings = settings | {"database": database}
        if graphs := settings.get("graphs_per_user"):
            settings = settings | {"graphs_per_user": self.with_users(graphs, place)}
        app = models.App(
            id=f"{tenant.label}/{name}",
            namespace=namespace,
            tenant=tenant.label,
            tenant_name=tenant.name,
            contact=tenant.contact,
            name=name,
            formerly=tuple(settings.get("renamed_from", ())),
            location=models.Location(
                self.source.file, self.source.locate(place.app, key=True).at.line
            ),
            **settings,
        )
        for finding in checks.check(app):
            self.report(finding, place)
        return app

    def with_template(self, database: dict[str, Any], place: _Place) -> dict[str, Any]:
        """Put the folder of a template of the operator's own beside its name; without one of that name, no schema."""
        source = database.get("schema_source")
        if source is None:
            return database
        try:
            return database | {"schema_source": resolved(source, self.templates)}
        except LookupError as error:
            where: Path = ("database", "schema")
            self.report(checks.Finding(((*where, "template"), where), error.args[0]), place)
            return database | {"schema_source": None}

    def with_users(self, graphs: dict[str, Any], place: _Place) -> dict[str, Any]:
        """Put the users of a file in the place of its name."""
        known = {key: value for key, value in graphs.items() if key != "users_file"}
        if "users_file" not in graphs:
            return known
        try:
            return known | {"users": read_users(self.source.file, graphs["users_file"])}
        except UsersError as error:
            path = (*place.app, "graphs_per_user", "users_file")
            if not self.faults.covers(path):
                self.faults.add(path, str(error))
            return known

    def report(self, finding: checks.Finding, place: _Place) -> None:
        paths = [path for each in finding.paths for path in place.candidates(each)]
        if any(self.faults.covers(path) for path in paths):
            return
        at = next(
            (path for path in paths if self.source.locate(path).depth == len(path)), place.app
        )
        self.found[at, finding.message] = None


_WHOLE: Final = frozenset({"schema_source", "maintenance_window", "graph", "graphs_per_user"})
"""Mappings whose keys belong together: one that is written replaces the whole default."""


def _given(model: Written | None) -> dict[str, Any]:
    """Return what is written in `model`, without what is not."""
    return model.model_dump(exclude_unset=True) if model else {}


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return `above` with what it lacks taken from `below`, mapping by mapping; lists are not joined."""
    if not below or not above:
        return above or below
    result = below | above
    for key in below.keys() & above.keys() - _WHOLE:
        if isinstance(above[key], dict):
            result[key] = _merged(below[key], above[key])
    return result


def _with_branch_names(database: dict[str, Any]) -> dict[str, Any]:
    branches = [{"name": name} | branch for name, branch in database.get("branches", {}).items()]
    return database | {"branches": branches}
