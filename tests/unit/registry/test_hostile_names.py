"""Texts that attack quoting, in every place that takes a name or free text: refused with a position, or listed here."""

import json
from itertools import product
from pathlib import Path

import pytest

from tenantry.registry import RegistryError, load

HOSTILE = {
    "a statement after a double quote": 'a"; drop role b --',
    "a statement after a single quote": "a'; drop role b --",
    "a dollar quote": "a$$; drop role b --",
    "a backslash": "a\\'b",
    "a Cyrillic letter": "w\u0435b",
    "wide letters": "\uff57\uff45\uff42",
    "a letter that lower() makes ASCII": "\u212aey",
    "a long s": "\u017felect",
    "an accent": "caf\u00e9",
    "a right-to-left override": "web\u202egnp",
    "a right-to-left mark": "web\u200f",
    "a space of no width": "we\u200bb",
    "a newline": "web\nevil",
    "a newline at the end": "web\n",
    "a carriage return": "web\rok",
    "a terminal's escape": "web\x1b[2K",
    "nothing": "",
    "a blank before": " web",
    "a blank within": "we b",
    "the folder above": "..",
    "a way up": "../../etc/passwd",
    "a slash": "acme/web",
    "a variable": "$HOME",
    "a command": "$(touch evil)",
    "a command in backquotes": "`touch evil`",
    "a format": "a%sb",
    "a URL's escape": "a%2e%2e",
    "the end of a URL's host": "a@evil.example",
    "a URN's separator": "a::b",
    "a list's separator": "a,b",
    "our own separator": "a--b",
    "the separator in identifiers": "a__b",
    "a hyphen first": "-rf",
    "a hyphen last": "a-",
    "a digit first": "1a",
    "a capital": "Web",
    "one more than fits": "a" * 64,
    "a tag of YAML": "!!python/object/apply:os.system [id]",
    "a template": "{{ web }}",
    "Postgres's own": "pg_web",
}
# What is taken as it is, by the place; everything else is refused there. tests/engine/test_hostile_names.py runs these.
TAKEN: dict[str, set[str]] = {
    "user": {
        *("the end of a URL's host", "our own separator", "the separator in identifiers"),
        *("a digit first", "a capital", "one more than fits", "Postgres's own"),
    },
    "extension": {
        "the separator in identifiers",
        "a hyphen last",
        "our own separator",
        "Postgres's own",
    },
    "scheme": {"our own separator", "a hyphen last"},
    "graph region": {"our own separator", "a hyphen last"},
}
# Free text: anything on one line that is seen. A path is one that begins like a path.
FREE = {
    name for name, text in HOSTILE.items() if text and text.isprintable() and text == text.strip()
}
TAKEN["tenant's name"] = TAKEN["contact"] = FREE
TAKEN["path"] = {"a way up"}

TEMPLATE = """\
version: 1
namespace: {namespace}
tenants:
  {tenant}:
    name: {tenant's name}
    contact: {contact}
    apps:
      {app}:
        environment: production
        region: {region}
        database:
          schema: {schema}
          extensions: [{extension}]
          branches: {{{branch}: {{}}}}
          url_scheme: {scheme}
        services: [{service}]
        api_keys: [{{name: {key}, scopes: [{scope}]}}]
        graphs_per_user: {{type: professional-db, cloud: gcp, region: {graph region}, memory: 1GB, version: {aura version}, users: [{user}]}}
"""
HARMLESS = {
    "namespace": "n",
    "tenant": "acme",
    "tenant's name": "Acme",
    "contact": "x",
    "app": "web",
    "region": "aws-us-east-2",
    "template": "base",
    "revision": "head",
    "path": "./history",
    "extension": "pg_trgm",
    "branch": "staging",
    "scheme": "postgresql",
    "service": "auth",
    "key": "default",
    "scope": "read",
    "graph region": "us-central1",
    "aura version": "5",
    "user": "alice",
}


def registry(place: str = "", text: str = "") -> str:
    """Write a registry with a text at one place, in quotes as YAML's JSON has them."""
    words = {
        name: json.dumps(word)
        for name, word in (HARMLESS | ({place: text} if place else {})).items()
    }
    source = "path" if place == "path" else "template"
    words["schema"] = f"{{{source}: {words[source]}, revision: {words['revision']}}}"
    written = TEMPLATE.replace("{{", "\0").replace("}}", "\1")
    for name, word in words.items():
        written = written.replace(f"{{{name}}}", word)
    return written.replace("\0", "{").replace("\1", "}")


def test_the_registry_is_valid_without_any_of_them(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(registry())
    assert [app.id for app in load(file).apps] == ["acme/web"]


@pytest.mark.parametrize(("place", "kind"), list(product(HARMLESS, HOSTILE)))
def test_it_is_refused_where_it_stands_or_known_to_be_taken(
    tmp_path: Path, place: str, kind: str
) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(registry(place, HOSTILE[kind]))
    line = next(
        number
        for number, (mine, plain) in enumerate(
            zip(file.read_text().splitlines(), registry().splitlines(), strict=True), 1
        )
        if mine != plain
    )
    if kind in TAKEN.get(place, set()):
        load(file)
        return
    with pytest.raises(RegistryError) as refused:
        load(file)
    problems = refused.value.problems
    assert line in [problem.line for problem in problems]
    # What is shown of it moves no cursor, turns no text around, and stays on its line.
    assert all(str(problem).isprintable() for problem in problems)
