"""`tenantry keys`: the API keys of the apps.

Each command imports what it needs when it runs: starting must stay cheap. Results go to standard output; what is said
beside them goes to standard error, so that a diff can be piped to `git apply`.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.presenting.printing import edit_as_json, fail, print_edit, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.catalog.listing import ListedKey
    from tenantry.catalog.revocation import Revocation
    from tenantry.catalog.verification import Verdict
    from tenantry.registry.editing import RegistryFile

# Longer than any key: what is piped in by mistake is not read to its end.
INPUT_CHARACTERS = 1000
NO_CATALOG = (
    "no catalog is configured: set TENANTRY_CATALOG_URL, or pulumi config set --secret "
    "tenantry:catalogUrl"
)

app = typer.Typer(
    name="keys",
    help="API keys: list, show, verify, rotate and revoke them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AppId = Annotated[str, typer.Argument(metavar="APP", help="The app: tenant/app.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="The key's name in the registry.")]
File = Annotated[Path, typer.Argument(help="The registry.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Write = Annotated[
    bool, typer.Option("--write", help="Change the registry's file instead of printing the diff.")
]
REGISTRY = Path("tenants.yaml")


@app.command("list")
def list_keys(
    app_id: Annotated[
        str | None, typer.Argument(metavar="[APP]", help="One app: tenant/app. Without it, all.")
    ] = None,
    *,
    file: Annotated[Path, typer.Option("--registry", help="The registry.")] = REGISTRY,
    every: Annotated[
        bool, typer.Option("--all", help="Also revoked keys that the registry no longer names.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List keys with their state: valid, expired, revoked, missing (pulumi up makes it), not in the registry.

    tenantry keys list

    Exit code: 0; 1 where the registry or the catalog cannot be read.

    JSON: [{"app", "name", "generation", "prefix", "scopes", "state", "created", "expires", "last_used"}].
    """
    from tenantry.catalog.listing import listed_keys, stored_keys
    from tenantry.catalog.session import open_catalog
    from tenantry.registry import RegistryError, load
    from tenantry.registry.problems import did_you_mean

    try:
        registry = load(file)
    except RegistryError as error:
        fail(str(error))
    with _one_line_errors(), open_catalog(_needed_catalog_url()) as connection:
        stored = stored_keys(connection, registry.namespace, app_id)
    apps = [each for each in registry.apps if app_id in {None, each.id}]
    if app_id is not None and not apps and not stored:
        known = [each.id for each in registry.apps]
        fail(f'no app "{app_id}" in {file} or the catalog{did_you_mean(app_id, known)}')
    rows = listed_keys(apps, stored, now=datetime.now(UTC), every=every)
    if as_json:
        print_json([_row_as_json(row) for row in rows])
    else:
        heads = ["app", "name", "generation", "prefix", "scopes", "state"]
        print_table(
            [*heads, "created", "expires", "last used"], [_row_as_text(row) for row in rows]
        )


@app.command()
def show(
    app_id: AppId,
    name: KeyName,
    *,
    generation: Annotated[
        int | None, typer.Option(min=1, help="Which generation. Without it, the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a key itself, a secret, from the stack's outputs.

    tenantry keys show acme/web default

    Exit code: 0; 1 where the stack has no such key.

    JSON: {"app", "name", "generation", "key"}.
    """
    from tenantry.registry.problems import did_you_mean
    from tenantry.running.local import current_environment
    from tenantry.running.stack import outputs

    with _one_line_errors():
        apps = outputs(current_environment(Path.cwd()), secrets=True).get("apiKeys", {})
    if app_id not in apps:
        fail(f'the stack holds no API keys of an app "{app_id}"{did_you_mean(app_id, apps)}')
    if name not in apps[app_id]:
        hint = did_you_mean(name, apps[app_id])
        fail(f'the stack holds no API key "{name}" of {app_id}{hint}')
    generations = {int(each): key for each, key in apps[app_id][name].items()}
    wanted = max(generations, default=0) if generation is None else generation
    if wanted not in generations:
        have = ", ".join(map(str, sorted(generations))) or "none: every one is revoked"
        fail(f"the stack does not hold generation {wanted} of {name} of {app_id}: it holds {have}")
    if as_json:
        key = generations[wanted]
        print_json({"app": app_id, "name": name, "generation": wanted, "key": key})
    else:
        print(generations[wanted])


@app.command()
def verify(*, as_json: AsJson = False) -> None:
    """Judge a key from standard input, or asked for without echo: valid, expired, revoked or unknown.

    tenantry keys show acme/web default | tenantry keys verify

    Notes its use, as a service would.

    Exit code: 0 for a valid key; 1 for every other, and where the catalog cannot be asked.

    JSON: {"state", "namespace", "app", "name", "generation", "scopes", "expires_at"}.
    """
    from tenantry.catalog.session import open_catalog
    from tenantry.catalog.verification import verify as judge

    key = _read_key()
    if not key:
        fail("no key was given: pipe it in, or type it at the prompt")
    with _one_line_errors(), open_catalog(_needed_catalog_url()) as connection:
        verdict = judge(connection, key, now=datetime.now(UTC))
    if as_json:
        print_json(_verdict_as_json(verdict))
    else:
        print(_verdict_as_text(verdict))
    if not verdict.valid:
        raise typer.Exit(1)


@app.command()
def rotate(
    app_id: AppId,
    name: KeyName,
    file: File = REGISTRY,
    *,
    write: Write = False,
    as_json: AsJson = False,
) -> None:
    """Print the change of the registry that issues a new key, or make it with --write. Asks nobody.

    tenantry keys rotate acme/web default --write

    The previous key stays valid until the next rotation.

    Exit code: 0; 1 where the file cannot be changed.

    JSON: {"app", "name", "generation", "file", "written", "diff"}.
    """
    from tenantry.catalog.keys import expires_at, live_generations
    from tenantry.registry.editing import rotate_key

    with _one_line_errors():
        source = _source(file)
        key = source.api_key(app_id, name)
        edit = rotate_key(source, app_id, name)
        if write:
            edit.write()
    new = key.generation + 1
    if as_json:
        print_json({"app": app_id, "name": name, "generation": new} | edit_as_json(edit, write))
        return
    print_edit(edit, write)
    ending = [n for n in live_generations(key.generation, key.revoked) if n < key.generation]
    ends = f" and ends generation {ending[0]}" if ending else ""
    if key.expires is not None and expires_at(key.expires) <= datetime.now(UTC):
        _note(
            f"{app_id} {name} expired with {key.expires}, and so will the new key: write another day"
        )
    _note(
        f"Next: pulumi up, which makes generation {new}{ends}; then tenantry keys show {app_id} {name}"
    )


@app.command()
def revoke(
    app_id: AppId,
    name: KeyName,
    file: File = REGISTRY,
    *,
    generation: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Which generation; may be given twice. Needed where two are valid."
        ),
    ] = None,
    write: Write = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a key in the catalog at once; print the change of the registry that keeps it so, or make it with --write.

    tenantry keys revoke acme/web default --generation 1 --write

    Exit code: 0, also for a key that was revoked before; 1 where it is in neither, or the registry cannot be changed.

    JSON: {"app", "name", "generations": [{"generation", "catalog"}], "file", "written", "diff"}.
    """
    from tenantry.registry.editing import Edit, EditError, NoSuchKeyError, revoke_key

    unchanged: EditError | None = None
    with _one_line_errors():
        source = _source(file)
        url = _catalog_url()
        edit = Edit(file, source.content, source.content)
        generations = generation or []
        try:
            generations = generations or _live(source, app_id, name)
            edit = revoke_key(source, app_id, name, generations)
        except NoSuchKeyError:
            # What the registry does not name any more may still be valid in the catalog.
            generations = _only_in_catalog(url, source, app_id, name, generation)
            if not generations:
                raise
        except EditError as error:
            unchanged = error  # the key is not left valid for the layout of a file
        outcome = _revoke_in_catalog(url, source, app_id, name, generations) if url else None
        if write:
            edit.write()
    said = {n: _outcome(outcome, n) for n in sorted(set(generations))}
    if as_json:
        states = [{"generation": n, "catalog": state} for n, (state, _) in said.items()]
        print_json({"app": app_id, "name": name, "generations": states} | edit_as_json(edit, write))
    else:
        for number, (_, text) in said.items():
            _note(f"{app_id} {name}, generation {number}: {text}")
        if unchanged is None:
            print_edit(edit, write)
    if unchanged:
        fail(str(unchanged))
    if edit.before != edit.after and not as_json:
        _note("Next: pulumi up takes the change over")


def _source(file: Path) -> RegistryFile:
    from tenantry.registry.editing import RegistryFile

    return RegistryFile.read(file)


def _live(source: RegistryFile, app_id: str, name: str) -> list[int]:
    """Return the generation to revoke where none is given; two that are valid are the operator's to choose from."""
    from tenantry.catalog.keys import live_generations

    key = source.api_key(app_id, name)
    live = live_generations(key.generation, key.revoked)
    # Where the registry revokes both already, both are revoked in the catalog too.
    return _one_of(live, app_id, name) if live else list(live_generations(key.generation))


def _one_of(live: tuple[int, ...], app_id: str, name: str) -> list[int]:
    if len(live) > 1:
        which = " or ".join(f"--generation {n}" for n in live)
        fail(
            f"{app_id} {name}: {len(live)} generations are valid: say which to revoke, {which}, or several"
        )
    return list(live)


def _only_in_catalog(
    url: str | None, source: RegistryFile, app_id: str, name: str, wanted: list[int] | None
) -> list[int]:
    from tenantry.catalog.listing import stored_keys
    from tenantry.catalog.session import open_catalog

    if url is None:
        return []
    with open_catalog(url) as connection:
        stored = stored_keys(connection, source.registry.namespace, app_id)
    found = [key for key in stored if key.name == name]
    there = sorted({key.generation for key in found})
    if wanted:
        return [n for n in wanted if n in there]
    live = tuple(key.generation for key in found if not key.revoked)
    return _one_of(live, app_id, name) if live else there


def _revoke_in_catalog(
    url: str, source: RegistryFile, app_id: str, name: str, generations: list[int]
) -> Revocation:
    from tenantry.catalog.revocation import revoke as revoke_at_once
    from tenantry.catalog.session import open_catalog

    with open_catalog(url) as connection:
        return revoke_at_once(
            connection,
            namespace=source.registry.namespace,
            app=app_id,
            name=name,
            generations=generations,
        )


def _outcome(outcome: Revocation | None, generation: int) -> tuple[str | None, str]:
    """Return what became of a generation in the catalog: a word for programs, and a sentence."""
    if outcome is None:
        return None, f"{NO_CATALOG}; nothing was revoked there"
    if generation in outcome.revoked:
        return "revoked", "revoked"
    if generation in outcome.before:
        return "revoked before", f"was revoked before, {_moment(outcome.before[generation])}"
    return "missing", "is not in the catalog"


def _catalog_url() -> str | None:
    from tenantry.catalog.location import VARIABLE
    from tenantry.catalog.session import catalog_url
    from tenantry.running.local import current_environment

    folder = Path.cwd()
    if VARIABLE in os.environ and not (folder / "Pulumi.yaml").exists():
        return os.environ[VARIABLE]  # a service's machine has no project
    return catalog_url(current_environment(folder))


def _needed_catalog_url() -> str:
    return _catalog_url() or fail(NO_CATALOG)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn the errors that a command may meet into one line and exit code 1."""
    try:
        yield
    except Exception as error:
        # Imported here: where nothing failed, nothing is paid.
        from tenantry.catalog.session import CatalogError
        from tenantry.registry.editing import EditError
        from tenantry.registry.problems import RegistryError
        from tenantry.running.local import LocalCloudError
        from tenantry.running.stack import StackError

        if isinstance(
            error, CatalogError | LocalCloudError | EditError | RegistryError | StackError
        ):
            fail(str(error))
        raise


def _read_key() -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("API key: ").strip()
    return sys.stdin.read(INPUT_CHARACTERS).strip()


def _note(text: str) -> None:
    print(text, file=sys.stderr)


def _moment(at: datetime | None) -> str:
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _row_as_text(row: ListedKey) -> list[str]:
    return [
        row.app,
        row.name,
        str(row.generation),
        row.prefix,
        ",".join(row.scopes),
        row.state,
        _moment(row.created),
        _moment(row.expires),
        _moment(row.last_used),
    ]


def _row_as_json(row: ListedKey) -> dict[str, object]:
    return {
        "app": row.app,
        "name": row.name,
        "generation": row.generation,
        "prefix": row.prefix,
        "scopes": list(row.scopes),
        "state": row.state,
        "created": _iso(row.created),
        "expires": _iso(row.expires),
        "last_used": _iso(row.last_used),
    }


def _verdict_as_text(verdict: Verdict) -> str:
    if verdict.state == "unknown":
        return "unknown: the catalog has no such key"
    end = f", until {_moment(verdict.expires_at)}" if verdict.expires_at else ""
    return (
        f"{verdict.state}: {verdict.app} {verdict.name}, generation {verdict.generation}, "
        f"scopes {','.join(verdict.scopes)}{end}"
    )


def _verdict_as_json(verdict: Verdict) -> dict[str, object]:
    return {
        "state": verdict.state,
        "namespace": verdict.namespace,
        "app": verdict.app,
        "name": verdict.name,
        "generation": verdict.generation,
        "scopes": list(verdict.scopes),
        "expires_at": _iso(verdict.expires_at),
    }
