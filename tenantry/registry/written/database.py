"""An app's Neon project and Postgres database: `database`."""

import re
from typing import Annotated, Final, get_args

from pydantic import BeforeValidator, Field

from tenantry.clouds import neon, table
from tenantry.errors import did_you_mean, shown
from tenantry.registry import models, units
from tenantry.registry.written.api_keys import Expiry
from tenantry.registry.written.durations import duration
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.project import MaintenanceWindow, Quota
from tenantry.registry.written.rules import (
    Flag,
    Generation,
    Rule,
    RuleError,
    choice,
    matching,
    text,
    whole_number,
    wrong_kind,
)
from tenantry.registry.written.schema_source import SchemaSource, Template, long_schema
from tenantry.registry.written.texts import Folder, Label

TIMEOUT_MOST: Final = 24 * units.MILLISECONDS["d"]
"""Milliseconds: the most whole days that PostgreSQL's timeouts (int32) can hold."""
CONNECTIONS_MOST: Final = neon.available_connections(max(neon.FIXED_SIZES))


def provider(value: object) -> str:
    """Check the name of a provider of databases."""
    return choice(*table.databases())(value)


def region(value: object) -> str:
    """Check a region of any provider; return the provider's own name for it. Whose it must be, `checks` knows."""
    word = text(value)
    providers = table.databases().values()
    known = [region for each in providers for region in each.regions]
    aliases = {alias: name for each in providers for alias, name in each.region_aliases.items()}
    canonical = aliases.get(word, word)
    if canonical not in known:
        titles = " or ".join(each.title for each in providers)
        on = word.lower().partition("-")[0]
        if on in get_args(models.Cloud) and not any(each.startswith(f"{on}-") for each in known):
            raise RuleError(
                f"{shown(word)} is not a region of {titles}, which has none on {on}: "
                f"write one of {', '.join(known)}"
            )
        hint = did_you_mean(word, [*known, *aliases])
        raise RuleError(
            f"{shown(word)} is not a region of {titles}: write one of {', '.join(known)}{hint}"
        )
    return canonical


def postgres_version(value: object) -> int:
    """Check a major version of PostgreSQL."""
    allowed = ", ".join(map(str, neon.POSTGRES_VERSIONS))
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    if number in neon.POSTGRES_VERSIONS:
        return number
    if number in neon.POSTGRES_ENDED:
        ended = neon.POSTGRES_ENDED[number]
        raise RuleError(
            f"PostgreSQL {number} is not maintained since {ended}: write one of {allowed}"
        )
    raise RuleError(f"must be a major version of PostgreSQL, one of {allowed}, not {shown(value)}")


def connection_limit(value: object) -> int:
    """Check a database's connection limit against the largest compute."""
    if value == -1 and not isinstance(value, bool):
        raise RuleError(
            "-1 would mean no limit, and one app could use up its compute: write how many it needs"
        )
    return whole_number(1, CONNECTIONS_MOST)(value)


def compute_size(value: object) -> float:
    """Check a compute's size in Compute Units."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RuleError(wrong_kind("a number of Compute Units", value))
    if float(value) not in neon.FIXED_SIZES:
        near = min(value, max(neon.FIXED_SIZES))  # a huge number is equally far from all of them
        nearest = min(neon.FIXED_SIZES, key=lambda size: abs(size - near))
        raise RuleError(
            f"{shown(value)} is not a compute size of Neon: write 0.25, 0.5, a whole number from 1 to 16, "
            f"or an even one up to 56 (nearest: {nearest:g})"
        )
    return float(value)


def extension(value: object) -> str:
    """Check an extension's name; refuse one that looks like a misspelt name, or that is built in."""
    word = text(value)
    if word.lower() in neon.BUILT_IN_EXTENSIONS:
        raise RuleError(f"{shown(word)} is not to be listed: every database has it")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", word, re.ASCII):
        hint = did_you_mean(word, neon.EXTENSIONS)
        raise RuleError(
            f"{shown(word)} is not an extension's name: it has lower-case letters, digits, "
            f"_ and -{hint}"
        )
    if word not in neon.EXTENSIONS and (hint := did_you_mean(word, neon.EXTENSIONS)):
        raise RuleError(f"{shown(word)} is not an extension of Neon{hint}")
    return word


def allowed_ip(value: object) -> str:
    """Check an address, a network (`203.0.113.0/24`) or a range (`192.0.2.1-192.0.2.9`)."""
    # Imported here: most registries have no allow-list.
    import ipaddress

    word = text(value)
    first, dash, last = word.partition("-")
    try:
        ends = [ipaddress.ip_interface(first), ipaddress.ip_interface(last if dash else first)]
    except ValueError:
        ends = []
    if not ends or (dash and "/" in word):
        raise RuleError(
            f"{shown(word)} is not an address: write an IPv4 or IPv6 address, a network such as "
            "203.0.113.0/24, or a range such as 192.0.2.1-192.0.2.9"
        )
    low, high = ends
    if "%" in word:
        # RFC 4007, section 11.2: a zone's name holds on its own host only.
        raise RuleError(
            f"{shown(word)} names an interface of one host, which no other knows: "
            'write the address without "%" and what follows'
        )
    if low.version != high.version or int(low) > int(high):
        raise RuleError(
            f"{shown(word)} is not a range: write the lower address first, both of a kind"
        )
    if "/" in word and low.ip != low.network.network_address:
        raise RuleError(f"{shown(word)} is an address inside a network: write {low.network}")
    return word


def url_scheme(value: object) -> str:
    """Check a URL's scheme: RFC 3986, section 3.1, in its canonical lower case."""
    word = text(value)
    if not re.fullmatch(r"[a-z][a-z0-9+.-]{0,30}", word, re.ASCII):
        # A whole URL may hold a password: none of it is shown.
        seen = "a whole URL" if "://" in word else shown(word)
        raise RuleError(
            f"{seen} is not a URL scheme: lower-case letters, digits, +, - and ., starting "
            'with a letter, such as "postgresql" (without "://")'
        )
    return word


_SECONDS: Final = {"type": "string", "pattern": units.SECONDS_PATTERN}
Timeout = Annotated[int, matching(duration(1, TIMEOUT_MOST, example="30s"), units.DURATION_PATTERN)]
Suspend = Annotated[
    int,
    Rule(
        duration(*neon.SUSPEND_SECONDS, example="5m", unit="s", never=neon.NEVER),
        {"anyOf": [{"const": "never"}, _SECONDS]},
    ),
]
Retention = Annotated[
    int, Rule(duration(*neon.RETENTION_SECONDS, example="7d", unit="s"), _SECONDS)
]
PostgresVersion = Annotated[
    int, Rule(postgres_version, {"type": "integer", "enum": list(neon.POSTGRES_VERSIONS)})
]
ConnectionLimit = Annotated[
    int, Rule(connection_limit, {"type": "integer", "minimum": 1, "maximum": CONNECTIONS_MOST})
]
ComputeSize = Annotated[
    float, Rule(compute_size, {"type": "number", "enum": list(neon.FIXED_SIZES)})
]
_PROVIDERS: Final = table.databases().values()
Provider = Annotated[str, Rule(provider, {"type": "string", "enum": [*table.databases()]})]
Region = Annotated[
    str,
    Rule(
        region,
        {
            "type": "string",
            "enum": [name for each in _PROVIDERS for name in (*each.regions, *each.region_aliases)],
        },
    ),
]
Extension = Annotated[
    str,
    matching(
        extension,
        "^[a-z][a-z0-9_-]{0,62}$",
        examples=["pg_trgm", "vector"],
        **{"not": {"enum": list(neon.BUILT_IN_EXTENSIONS)}},
    ),
]
AllowedIp = Annotated[str, matching(allowed_ip, "^[0-9A-Fa-f.:/-]+$")]
UrlScheme = Annotated[str, matching(url_scheme, "^[a-z][a-z0-9+.-]{0,30}$")]


class Compute(Written):
    """The size of the app's compute in Compute Units (CU); 1 CU is about 4 GB of memory."""

    min_cu: ComputeSize | None = Field(
        None, description="The least it scales down to.", json_schema_extra={"default": 0.25}
    )
    max_cu: ComputeSize | None = Field(
        None,
        description="The most it scales up to: at most 16, and 8 above min_cu; larger only if equal to it.",
        json_schema_extra={"default": 2},
    )
    suspend_after: Suspend | None = Field(
        None,
        description="Idle time after which it is suspended: 60s to 7d, or never.",
        json_schema_extra={"default": "5m"},
    )


class Branch(Written):
    """A Neon branch beside main: a copy of its data at the moment it is made."""

    protected: Flag | None = Field(
        None,
        description="Whether Neon refuses to delete the branch and its project.",
        json_schema_extra={"default": False},
    )
    expires: Expiry | None = Field(
        None,
        description="The last day, in UTC, on which it is there. Then Neon deletes it; without it, it stays.",
    )


class Credentials(Written):
    """The app's login."""

    generation: Generation | None = Field(
        None,
        description="Raise it by one to move the app to its other login with a new password.",
        json_schema_extra={"default": 1},
    )


class Database(Written):
    """The app's Neon project and its Postgres database."""

    schema_source: Annotated[
        SchemaSource | None,
        BeforeValidator(long_schema, json_schema_input_type=Template | Folder | SchemaSource),
    ] = Field(
        None,
        alias="schema",
        description="The tables: a template's name, a path to an Alembic folder, or a mapping.",
    )
    provider: Provider | None = Field(
        None,
        description="Where the project is made. Changing it replaces the project.",
        json_schema_extra={"default": table.USUAL.name},
    )
    postgres_version: PostgresVersion | None = Field(
        None,
        description="The major version of PostgreSQL. Changing it replaces the project.",
        json_schema_extra={"default": 17},
    )
    connection_limit: ConnectionLimit | None = Field(
        None,
        description="The most connections to the database; no more than its largest compute allows.",
        json_schema_extra={"default": 20},
    )
    statement_timeout: Timeout | None = Field(
        None, description="The longest a statement may run.", json_schema_extra={"default": "30s"}
    )
    idle_in_transaction_timeout: Timeout | None = Field(
        None,
        description="The longest a session may sit idle in a transaction.",
        json_schema_extra={"default": "10s"},
    )
    extensions: list[Extension] | None = Field(
        None,
        description="Extensions to create.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )
    compute: Compute | None = None
    history_retention: Retention | None = Field(
        None,
        description="How far back the data can be restored: 0s to 30d; Neon's plans allow less.",
        json_schema_extra={"default": "6h"},
    )
    allowed_ips: list[AllowedIp] | None = Field(
        None,
        description="Addresses, networks and ranges that may connect; none written means all.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )
    block_public_connections: Flag | None = Field(
        None,
        description="Whether connections from the internet are refused, whatever allowed_ips says. "
        "Not written: as the project has it.",
    )
    protected: Flag | None = Field(
        None,
        description="Whether Neon refuses to delete the main branch, and with it the project.",
        json_schema_extra={"default": False},
    )
    logical_replication: Flag | None = Field(
        None,
        description="Whether the project serves logical replication. It cannot be turned off again.",
        json_schema_extra={"default": False},
    )
    maintenance_window: MaintenanceWindow | None = None
    quota: Quota | None = None
    branches: dict[Label, Branch] | None = Field(
        None, description="Branches beside main, by name.", json_schema_extra={"default": {}}
    )
    credentials: Credentials | None = None
    url_scheme: UrlScheme | None = Field(
        None,
        description="The scheme of the app's connection URLs.",
        json_schema_extra={"default": "postgresql"},
    )
