"""Neon's own command line, unmodified, against the local cloud. Skipped where Node.js is not here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.localcloud.foreign import install_node_packages, made, need
from tests.localcloud.support import Account, query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud.conftest import Place

SOURCES = Path(__file__).parent / "drivers" / "neonctl"
CALL_SECONDS = 60


@dataclass(frozen=True)
class Neonctl:
    """The command, with a home of its own."""

    program: Path
    home: Path
    account: Account
    machine: tuple[str, ...] = ()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it; nobody answers what it asks."""
        options = ("--no-analytics", "--config-dir", str(self.home), "--output", "json")
        cloud = self.account.cloud
        # "--" and what comes after it is for psql, and stays last.
        rest = arguments.index("--") if "--" in arguments else len(arguments)
        return subprocess.run(
            [
                *self.machine,
                "node",
                str(self.program),
                *arguments[:rest],
                *("--api-host", cloud.neon_api_url, *options),
                *arguments[rest:],
            ],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "NEON_API_KEY": cloud.neon_api_key,
                # Its own psql, so that no other has to be installed.
                "NEONCTL_PSQL_FALLBACK": "1",
            },
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )

    def say(self, *arguments: str) -> str:
        """Run it successfully and return its words."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def ask(self, *arguments: str) -> Any:
        """Run it successfully and return its JSON."""
        return json.loads(self.say(*arguments))


@dataclass(frozen=True)
class Shop:
    """A project that the command made."""

    neonctl: Neonctl
    id: str
    uri: str

    def ask(self, *arguments: str) -> Any:
        """Ask about this project."""
        return self.neonctl.ask(*arguments, "--project-id", self.id)

    def say(self, *arguments: str) -> str:
        """Say something of this project."""
        rest = arguments.index("--") if "--" in arguments else len(arguments)
        project = ("--project-id", self.id)
        return self.neonctl.say(*arguments[:rest], *project, *arguments[rest:])

    def uri_of(self, branch: str) -> str:
        """Return the connection string of a branch's only database, as its only role."""
        return self.say("connection-string", branch)

    def settle(self) -> None:
        """Wait for the project's operations."""
        while any(
            each["status"] in {"running", "scheduling"} for each in self.ask("operations", "list")
        ):
            time.sleep(0.05)


@pytest.fixture(scope="module")
def program() -> Path:
    need("node", "npm")
    return made(SOURCES, install_node_packages) / "node_modules" / "neonctl" / "bin" / "cli.js"


def make_shop(neonctl: Neonctl) -> Shop:
    organization = neonctl.account.cloud.neon_org_id
    answer = neonctl.ask(
        *("projects", "create", "--name", "shop", "--org-id", organization),
        *("--database", "shop", "--role", "owner"),
    )
    return Shop(neonctl, answer["project"]["id"], answer["connection_uris"][0]["connection_uri"])


@pytest.fixture(scope="module")
def shop(
    program: Path, account: Account, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    shop = make_shop(Neonctl(program, tmp_path_factory.mktemp("neonctl"), account))
    yield shop
    shop.neonctl.ask("projects", "delete", shop.id)


def rows(uri: str, statement: str = "SELECT n FROM t ORDER BY n") -> list[int]:
    return [row[0] for row in query(uri, statement)]


def moment() -> str:
    """Return a time after all that was done and before all that is to come, in milliseconds as the command has them."""
    time.sleep(0.002)
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_project_is_made_found_and_renamed(shop: Shop) -> None:
    neonctl = shop.neonctl
    organization = neonctl.account.cloud.neon_org_id
    assert neonctl.ask("me")["login"]
    assert [each["id"] for each in neonctl.ask("orgs", "list")] == [organization]
    listed = neonctl.ask("projects", "list", "--org-id", organization)
    assert shop.id in {each["id"] for each in listed}
    assert neonctl.ask("projects", "update", shop.id, "--name", "store")["name"] == "store"
    assert neonctl.ask("projects", "get", shop.id)["name"] == "store"
    allowed = shop.ask("ip-allow", "add", "192.0.2.1")
    assert allowed["IP_addresses"] == ["192.0.2.1"]
    assert shop.ask("ip-allow", "reset")["IP_addresses"] == []
    assert query(shop.uri, "SELECT current_user, current_database()") == [("owner", "shop")]


def test_a_branch_has_its_own_roles_and_databases(shop: Shop) -> None:
    shop.ask("branches", "create", "--name", "own")
    shop.ask("roles", "create", "--branch", "own", "--name", "clerk")
    made = shop.ask(
        *("databases", "create", "--branch", "own", "--name", "ledger", "--owner-name", "clerk")
    )
    assert (made["name"], made["owner_name"]) == ("ledger", "clerk")
    names = {each["name"] for each in shop.ask("roles", "list", "--branch", "own")}
    assert names == {"owner", "clerk"}
    uri = shop.say(
        *("connection-string", "own", "--role-name", "clerk", "--database-name", "ledger")
    )
    assert query(uri, "SELECT current_user, current_database()") == [("clerk", "ledger")]
    shop.ask("databases", "delete", "ledger", "--branch", "own")
    shop.ask("roles", "delete", "clerk", "--branch", "own")
    assert len(shop.ask("databases", "list", "--branch", "own")) == 1
    assert shop.ask("branches", "rename", "own", "other")["name"] == "other"
    expiring = shop.ask(
        "branches", "set-expiration", "other", "--expires-at", "2099-01-01T00:00:00Z"
    )
    assert expiring["expires_at"].startswith("2099-01-01")
    shop.ask("branches", "delete", "other")
    assert [each["name"] for each in shop.ask("branches", "list")] == ["main"]


def test_a_branch_is_made_of_the_past_reset_and_restored(shop: Shop) -> None:
    query(shop.uri, "CREATE TABLE t AS SELECT 1 AS n")
    then = moment()
    query(shop.uri, "INSERT INTO t VALUES (2)")
    lsn = query(shop.uri, "SELECT pg_current_wal_lsn()::text")[0][0]
    query(shop.uri, "INSERT INTO t VALUES (3)")
    for name, parent, expected in (("timed", then, [1]), ("numbered", lsn, [1, 2])):
        made = shop.ask("branches", "create", "--name", name, "--parent", parent)
        assert made["branch"]["name"] == name
        assert rows(shop.uri_of(name)) == expected

    # The two in one are for other commands, and for this one the name of a branch that is not there.
    wrong = ("branches", "create", "--name", "x", "--parent", f"main@{then}")
    refused = shop.neonctl.run(*wrong, "--project-id", shop.id)
    assert (refused.returncode, refused.stderr) == (1, f"ERROR: Branch main@{then} not found\n")

    shop.ask("branches", "reset", "timed", "--parent")
    shop.settle()
    assert rows(shop.uri_of("timed")) == [1, 2, 3]
    shop.say("branches", "restore", "numbered", f"main@{then}")
    shop.settle()
    assert rows(shop.uri_of("numbered")) == [1]
    for name in ("timed", "numbered"):
        shop.ask("branches", "delete", name)
        shop.settle()
    shop.say("branches", "restore", "main", f"^self@{then}", "--preserve-under-name", "before")
    shop.settle()
    assert rows(shop.uri) == [1]
    assert {each["name"] for each in shop.ask("branches", "list")} == {"main", "before"}
    query(shop.uri, "CREATE TABLE extra ()")
    differs = shop.say("branches", "schema-diff", "main", "before", "--database", "shop")
    assert re.search(r"(?m)^-CREATE TABLE public\.extra", differs)


def test_a_snapshot_is_made_and_listed(shop: Shop) -> None:
    made = shop.ask("snapshots", "create", "--branch", "main", "--name", "kept")
    assert made["name"] == "kept"
    assert [each["name"] for each in shop.ask("snapshots", "list")] == ["kept"]


def test_its_connection_strings_lead_where_they_say(
    program: Path, place: Place, tmp_path: Path
) -> None:
    shop = make_shop(Neonctl(program, tmp_path, place.account, place.machine))
    for pooled in ((), ("--pooled",)):
        uri = urlsplit(shop.say("connection-string", "main", *pooled))
        asked = {"sslmode": ["require"], "channel_binding": ["require"]}
        assert parse_qs(uri.query) == asked
        if place.machine:
            # By Neon's rule, which an address cannot follow: there the command gives the direct host.
            label = str(uri.hostname).partition(".")[0]
            assert label.endswith("-pooler") == bool(pooled)
        said = shop.say(
            "connection-string", "main", *pooled, "--psql", "--", "-At", "-c", "SELECT current_user"
        )
        assert said == "owner"
    shop.neonctl.ask("projects", "delete", shop.id)
