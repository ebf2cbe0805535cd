"""`tenantry keys verify`: judge a key as a service would."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import typer

from tenantry.commands.keys.options import AsJson
from tenantry.presenting.keys import verdict_as_text
from tenantry.presenting.printing import fail, one_line_errors, print_json

# Longer than any key: what is piped in by mistake is not read to its end.
INPUT_CHARACTERS = 1000


def verify(
    given: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Judge a key from standard input, or asked for without echo: valid, expired, revoked or unknown.

    tenantry keys show acme/web default | tenantry keys verify

    Notes its use, as a service would.

    Exit code: 0 for a valid key; 1 for every other, and where the catalog cannot be asked.

    JSON: {"state", "namespace", "app", "name", "generation", "scopes", "expires_at"}.
    """
    if given.args:
        fail(
            "a key is read from standard input, and not from an argument, which a shell keeps and other processes see: "
            "tenantry keys show APP NAME | tenantry keys verify. If that was a valid key: tenantry keys rotate APP NAME"
        )
    from tenantry.catalog.session import needed_catalog_url, open_catalog
    from tenantry.catalog.verification import verify as judge

    key = _read_key()
    if not key:
        fail("no key was given: pipe it in, or type it at the prompt")
    with one_line_errors(), open_catalog(needed_catalog_url(Path.cwd())) as connection:
        verdict = judge(connection, key, now=datetime.now(UTC))
    if as_json:
        print_json(verdict)
    else:
        print(verdict_as_text(verdict))
    if not verdict.valid:
        raise typer.Exit(1)


def _read_key() -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("API key: ").strip()
    return sys.stdin.read(INPUT_CHARACTERS).strip()
