"""Every name that is derived from the registry, in one place.

These functions are a contract: a name that changed would be a new project or a new database, so the same arguments
must always give the same name. Two apps never share a name: only where one was renamed, and another has its old id now,
do their databases have the same names, each in a project of its own.

Why that holds:

- A label is a DNS label (RFC 1035, section 2.3.1: letters, digits, hyphens, at most 63 octets) in lower case. It begins
  with a letter and has no two hyphens in a row. So `--` in a name can only be a separator, and so can `__`, once
  hyphens have become underscores.
- A name that is too long for its service is cut, and ends in a hash of the whole name behind a mark (`.` or `___`). No
  name that is not cut contains the mark, so the two kinds never meet. Two cut names differ as their hashes do (SHA-256,
  65 bits kept).
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

LABEL_LENGTH: Final = 63
LABEL: Final = re.compile(r"(?=.{1,63}\Z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)

PROJECT_LENGTH: Final = 256
"""Neon API v2: `ProjectCreateRequest.project.name`, at most 256 characters."""
IDENTIFIER_LENGTH: Final = 63
"""PostgreSQL: NAMEDATALEN - 1 bytes; Neon's roles have the same limit."""
STACK_LENGTH: Final = 100
"""Pulumi: at most 100 letters, digits, `_`, `-` and `.`."""
GRAPH_LENGTH: Final = 30
"""Neo4j Aura API v1: an instance's name, at most 30 characters."""
KEY_PREFIX_LENGTH: Final = 63
"""Our own limit: a key with its timestamp and 32 random bytes stays below 140 characters."""

_HASH_LENGTH: Final = 13


def app_of(part: str) -> str:
    """Return the app's id of an id that begins with it: `acme/web` of `acme/web/alice`."""
    return "/".join(part.split("/")[:2])


def own_stack(app_id: str) -> str:
    """Return the name of an app's own Pulumi stack."""
    tenant, _, name = app_id.partition("/")
    return AppNames("", tenant, name).stack


def is_user_stack(stack: str) -> bool:
    """Tell whether a stack is called as that of one user's graph."""
    return "--" in stack.rpartition("--")[0]


@dataclass(frozen=True, slots=True)
class AppNames:
    """The names of one app: where it is in the registry, and what it is called everywhere else."""

    namespace: str
    tenant: str
    app: str
    first: str = ""
    """The id that a renamed app had when it was made. Its database, roles and key prefixes keep the names of then."""

    @property
    def id(self) -> str:
        """The app's id in the registry: `acme/web`."""
        return f"{self.tenant}/{self.app}"

    @property
    def stack(self) -> str:
        """The app's own Pulumi stack: `acme--web`."""
        return _fit(f"{self.tenant}--{self.app}", STACK_LENGTH, mark=".")

    @property
    def user_stacks(self) -> str:
        """What the stacks of the graphs of the app's users begin with, and no other stack: `acme--web--`."""
        tenant, _, app = (self.first or self.id).partition("/")
        length = STACK_LENGTH - len("--") - _HASH_LENGTH
        return _fit(f"{tenant}--{app}", length, mark=".") + "--"

    def user_stack(self, user: str) -> str:
        """Return the Pulumi stack of the graph of a user who signed up: `acme--web--i6mf7msbq66pl`.

        What stands for the user is a hash of the id, which may be a mail address. A renamed app's keep their names.
        """
        return self.user_stacks + _hash(f"{self.first or self.id}/{user}")

    @property
    def project(self) -> str:
        """The Neon project: `tenantry--acme--web`."""
        return _fit(f"{self.namespace}--{self.tenant}--{self.app}", PROJECT_LENGTH, mark=".")

    @property
    def database(self) -> str:
        """The Postgres database: `tenant_acme__web`."""
        return self._identifier("")

    @property
    def schema(self) -> str:
        """The Postgres schema that holds the app's tables; the same in every database."""
        return "app"

    @property
    def owner_role(self) -> str:
        """The role that owns the database and runs migrations: `tenant_acme__web__owner`."""
        return self._identifier("__owner")

    @property
    def group_role(self) -> str:
        """The role without login that holds the app's read and write grants: `tenant_acme__web__rw`."""
        return self._identifier("__rw")

    def login_role(self, generation: int) -> str:
        """Return the login in use at `generation` (1 or more): `…__login_a` if odd, else `…__login_b`.

        Two logins are used in turn, so that a rotation never touches the one that is in use.
        """
        if generation < 1:
            raise ValueError(f"generation {generation} does not exist: the first is 1")
        return self._identifier("__login_a" if generation % 2 else "__login_b")

    @property
    def graph(self) -> str:
        """The Neo4j Aura instance: `tenantry--acme--web`, cut to 30 characters where longer."""
        return _fit(f"{self.namespace}--{self.tenant}--{self.app}", GRAPH_LENGTH, mark=".")

    def user_graph(self, user: str) -> str:
        """Return the Neo4j Aura instance of one of the app's users: `tenantry--acme--web--alice`.

        A user's id that is no label, or too long, gives a name that is cut. The first three separators are the app's,
        so what follows is the user's id, whatever it is made of.
        """
        name = f"{self.namespace}--{self.tenant}--{self.app}--{user}"
        if LABEL.fullmatch(user):
            return _fit(name, GRAPH_LENGTH, mark=".")
        return _cut(name, f"{self.namespace}--{self.tenant}--{self.app}", GRAPH_LENGTH, mark=".")

    def api_key_prefix(self, key: str) -> str:
        """Return what the app's API keys named `key` begin with: `acme--default`."""
        tenant = self.first.partition("/")[0] or self.tenant
        return _fit(f"{tenant}--{key}", KEY_PREFIX_LENGTH, mark=".")

    def _identifier(self, suffix: str) -> str:
        # Without the prefix, a tenant `pg` would give a role `pg_…`, a name that PostgreSQL reserves.
        tenant, _, app = (self.first or self.id).partition("/")
        name = f"tenant_{tenant}__{app}".replace("-", "_")
        return _fit(name, IDENTIFIER_LENGTH - len(suffix), mark="___") + suffix


def _fit(name: str, limit: int, *, mark: str) -> str:
    return name if len(name) <= limit else _cut(name, name, limit, mark=mark)


def _cut(name: str, begin: str, limit: int, *, mark: str) -> str:
    tail = mark + _hash(name)
    return begin[: limit - len(tail)].rstrip("-_") + tail


def _hash(name: str) -> str:
    digest = hashlib.sha256(name.encode("ascii")).digest()
    return base64.b32encode(digest).decode("ascii")[:_HASH_LENGTH].lower()
