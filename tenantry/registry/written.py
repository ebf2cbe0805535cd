"""The registry as an operator writes it: which keys there are and what each value may be.

Every key is optional here where defaults may supply it; None means "not written". The validators turn
written values into plain ones (`30s` into milliseconds, `us-east-1` into `aws-us-east-1`) and raise
ValueError with the text that the operator reads. Rules that concern several values are in `checks`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import core_schema

from tenantry.registry import aura, models, neon, units
from tenantry.registry.document import Empty
from tenantry.registry.names import LABEL, LABEL_LENGTH
from tenantry.registry.problems import did_you_mean, shown
from tenantry.schemas.templates import TEMPLATES

JsonSchema: TypeAlias = dict[str, Any]
MAX_INT: Final = 2_147_483_647
"""PostgreSQL's and Neon's largest setting of these kinds (int32)."""
TIMEOUT_MOST: Final = 24 * units.MILLISECONDS["d"]
"""Milliseconds: the most whole days that PostgreSQL's timeouts (int32) can hold."""
DELAY_MOST: Final = 10 * units.MILLISECONDS["m"]
"""Milliseconds: longer than that, and a person should look."""
LINE_LENGTH: Final = 200
CONNECTIONS_MOST: Final = neon.available_connections(max(neon.FIXED_SIZES))


class RuleError(ValueError):
    """A value that is refused. Its text is what the operator reads."""


class NotTextError(RuleError):
    """A number, true or false where text is wanted: the loader knows how it is written in the file."""


def text(value: object) -> str:
    """Return a text as it is. Raises NotTextError or RuleError for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        raise NotTextError(shown(value))
    raise RuleError(wrong_kind("text", value))


def wrong_kind(wanted: str, value: object) -> str:
    """Say that `value` is not of the kind that is wanted."""
    if isinstance(value, Empty):
        return f"is empty, where {wanted} is wanted: write it, or leave it out"
    word = wanted == "a list" and isinstance(value, str) and LABEL.fullmatch(value)
    hint = f": write it in brackets, [{value}]" if word else ""
    return f"must be {wanted}, not {shown(value)}{hint}"


def whole_number(least: int, most: int) -> Callable[[object], int]:
    """Make a validator of whole numbers from `least` to `most`."""

    def validate(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            quoted = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,20}", value)
            hint = ": write it in decimal, without quotes or leading zeros" if quoted else ""
            raise RuleError(wrong_kind("a whole number", value) + hint)
        if not least <= value <= most:
            raise RuleError(f"{shown(value)} is out of range: {least} to {most}")
        return value

    return validate


def number(least: float, most: float) -> Callable[[object], float]:
    """Make a validator of numbers from `least` to `most`."""

    def validate(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RuleError(wrong_kind("a number", value))
        if not least <= value <= most:
            raise RuleError(f"{shown(value)} is out of range: {least:g} to {most:g}")
        return float(value)

    return validate


def choice(*allowed: str) -> Callable[[object], str]:
    """Make a validator of one word out of `allowed`."""
    known = ", ".join(allowed)

    def validate(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        if isinstance(value, Empty):
            raise RuleError(f"is empty: write one of {known}, or leave it out")
        if shown(value) in allowed:
            raise NotTextError(shown(value))
        hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
        raise RuleError(f"{shown(value)} is not known: write one of {known}{hint}")

    return validate


def label(value: object) -> str:
    """Check a name: a DNS label in lower case with single hyphens (see `names`)."""
    word = text(value)
    if LABEL.fullmatch(word):
        return word
    rule = (
        "a name is lower-case letters, digits and single hyphens inside, and begins with a letter"
    )
    if len(word) > LABEL_LENGTH:
        rule = f"a name has at most {LABEL_LENGTH} characters, this one has {len(word)}"
    nearest = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
    hint = f' (did you mean "{nearest}"?)' if LABEL.fullmatch(nearest) else ""
    raise RuleError(f"{shown(word)} is not a name: {rule}{hint}")


def tenant_label(value: object) -> str:
    """Check a tenant's name: `all` is how a selection says every app."""
    word = label(value)
    if word == "all":
        raise RuleError('"all" is reserved, it selects every app: write another name')
    return word


def one_line(value: object) -> str:
    """Check a text for people: 1 to LINE_LENGTH printable characters, no blanks at its ends."""
    words = text(value)
    if not words or words != words.strip() or not words.isprintable() or len(words) > LINE_LENGTH:
        raise RuleError(
            f"{shown(words)} is not a line of text: write 1 to {LINE_LENGTH} printable characters "
            "without blanks at the ends"
        )
    return words


def region(value: object) -> str:
    """Check a Neon region; return Neon's own name for it."""
    word = text(value)
    canonical = neon.REGION_ALIASES.get(word, word)
    if canonical not in neon.REGIONS:
        cloud = word.lower().partition("-")[0]
        if cloud in get_args(models.Cloud) and cloud not in neon.CLOUDS:
            raise RuleError(
                f"{shown(word)} is not a region of Neon, which has none on {cloud}: "
                f"write one of {', '.join(neon.REGIONS)}"
            )
        hint = did_you_mean(word, [*neon.REGIONS, *neon.REGION_ALIASES])
        raise RuleError(
            f"{shown(word)} is not a region of Neon: write one of {', '.join(neon.REGIONS)}{hint}"
        )
    return canonical


def duration(
    least: int, most: int, *, example: str, unit: str = "ms", never: int | None = None
) -> Callable[[object], int]:
    """Make a validator of durations; `least`, `most` and the result are in `unit` (`ms` or `s`).

    With `never`, the word `never` is allowed and stands for that number.
    """
    factor = units.MILLISECONDS[unit]
    otherwise = ', or "never"' if never is not None else ""

    def validate(value: object) -> int:
        if never is not None and value == "never":
            return never
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise RuleError(
                f"{shown(value)} has no unit: write it with one of {', '.join(units.MILLISECONDS)}, "
                f'such as "{example}"{otherwise}'
            )
        if not isinstance(value, str):
            raise RuleError(wrong_kind(f'a duration such as "{example}"{otherwise}', value))
        try:
            amount, rest = divmod(units.parse_duration(value, example=example), factor)
        except ValueError as error:
            raise RuleError(f"{error}{otherwise}") from None
        if rest or not least <= amount <= most:
            limits = " to ".join(units.format_duration(n * factor) for n in (least, most))
            whole = " in whole seconds" if rest else ""
            raise RuleError(f"{shown(value)} is out of range: {limits}{whole}{otherwise}")
        return amount

    return validate


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


def revision(value: object) -> str:
    """Check the name of an Alembic revision, or `head`."""
    word = text(value)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", word, re.ASCII):
        raise RuleError(f'{shown(word)} is not a revision: write its id, or "head"')
    return word


def template(value: object) -> str:
    """Check a schema template's name: those of `tenantry.schemas`."""
    word = label(value)
    if word not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise RuleError(
            f"{shown(word)} is not a template: write one of {known}, or a path that starts with "
            f"./, ../ or /{did_you_mean(word, TEMPLATES)}"
        )
    return word


def folder(value: object) -> str:
    """Check a path: absolute, or relative and marked by `./` or `../`."""
    word = text(value)
    if not word.startswith(_PATH_STARTS) or not word.isprintable():
        raise RuleError(f"{shown(word)} is not a path: start it with ./, ../ or /")
    return word


_PATH_STARTS: Final = ("./", "../", "/")


def long_schema(value: object) -> object:
    """Turn the short form of a schema, a template's name or a path, into the long one."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"path" if value.startswith(_PATH_STARTS) else "template": value}
    raise RuleError(wrong_kind("a template's name, a path or a mapping", value))


def long_service(value: object) -> object:
    """Turn the short form of a service, its name, into the long one."""
    return value if isinstance(value, dict) else {"name": value}


def expiry(value: object) -> date:
    """Check a day, `2027-06-30` (ISO 8601); the key is valid until the end of that day in UTC."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise RuleError(
                f"{shown(value)} is not a day of the calendar: write one that is"
            ) from None
    raise RuleError(wrong_kind("a date such as 2027-06-30 (year, month, day)", value))


def memory(value: object) -> str:
    """Check a graph's memory; return it as Aura writes it (`8GB`)."""
    least, most = aura.MEMORY_LIMITS_GB
    if isinstance(value, int | float) and not isinstance(value, bool):
        meant = value if isinstance(value, int) and least <= value <= most else 8
        raise RuleError(f'{shown(value)} has no unit: write it in GB, such as "{meant}GB"')
    if not isinstance(value, str):
        raise RuleError(wrong_kind('a size such as "8GB"', value))
    size = units.parse_size(value)
    gigabytes, rest = divmod(size, units.BYTES["GB"])
    if rest or not least <= gigabytes <= most:
        raise RuleError(f"{shown(value)} is out of range: whole GB from {least}GB to {most}GB")
    return f"{gigabytes}GB"


def graph_region(value: object) -> str:
    """Check the form of a graph's region; which ones exist depends on the account."""
    word = text(value)
    if not re.fullmatch(aura.REGION_PATTERN.strip("^$"), word, re.ASCII):
        raise RuleError(
            f"{shown(word)} is not a region: write the cloud's own name, such as us-central1"
        )
    return word


def user(value: object) -> str:
    """Check the id of an app's user."""
    word = text(value)
    if not re.fullmatch(aura.USER_PATTERN.strip("^$"), word, re.ASCII):
        raise RuleError(
            f"{shown(word)} is not a user's id: write 1 to 128 letters, digits and . _ @ | + -, beginning and ending with a letter "
            "or a digit"
        )
    return word


def flag(value: object) -> bool:
    """Check true or false: YAML 1.2 has no other words for them."""
    if not isinstance(value, bool):
        raise RuleError(wrong_kind("true or false", value))
    return value


def registry_version(value: object) -> int:
    """Check the version of the file's format."""
    if isinstance(value, bool) or not isinstance(value, int) or value != 1:
        raise RuleError(f"must be the number 1, the only version of the format, not {shown(value)}")
    return value


@dataclass(frozen=True, eq=False)
class Rule:
    """How one kind of value is checked here, and described to editors."""

    check: Callable[[object], object]
    schema: JsonSchema

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, _core: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return dict(self.schema)


def _words(words: object) -> Rule:
    allowed = get_args(words)
    return Rule(choice(*allowed), {"type": "string", "enum": list(allowed)})


def _integer(least: int, most: int) -> Rule:
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Rule(whole_number(least, most), schema)


def _number(least: float, most: float) -> Rule:
    schema = {"type": "number", "minimum": least, "maximum": most}
    return Rule(number(least, most), schema)


def _text(check: Callable[[object], object], pattern: str, **more: object) -> Rule:
    return Rule(check, {"type": "string", "pattern": pattern, **more})


_LABEL_PATTERN: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_SECONDS: Final = {"type": "string", "pattern": units.SECONDS_PATTERN}

Label = Annotated[str, _text(label, _LABEL_PATTERN, maxLength=LABEL_LENGTH)]
TenantLabel = Annotated[
    str, _text(tenant_label, _LABEL_PATTERN, maxLength=LABEL_LENGTH, **{"not": {"const": "all"}})
]
Template = Annotated[str, Rule(template, {"type": "string", "enum": list(TEMPLATES)})]
Line = Annotated[str, Rule(one_line, {"type": "string", "minLength": 1, "maxLength": LINE_LENGTH})]
Folder = Annotated[str, _text(folder, r"^(\./|\.\./|/)")]
Revision = Annotated[str, _text(revision, "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
Version = Annotated[Literal[1], Rule(registry_version, {"const": 1})]
Generation = Annotated[int, _integer(1, MAX_INT)]
Quota = Annotated[int, _integer(1, 1000)]
Attempts = Annotated[int, _integer(1, 10)]
Delay = Annotated[int, _text(duration(100, DELAY_MOST, example="5s"), units.DURATION_PATTERN)]
Factor = Annotated[float, _number(1, 10)]
Jitter = Annotated[float, _number(0, 1)]
Flag = Annotated[bool, Rule(flag, {"type": "boolean"})]
Timeout = Annotated[int, _text(duration(1, TIMEOUT_MOST, example="30s"), units.DURATION_PATTERN)]
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
Region = Annotated[
    str, Rule(region, {"type": "string", "enum": [*neon.REGIONS, *neon.REGION_ALIASES]})
]
Extension = Annotated[
    str,
    _text(
        extension,
        "^[a-z][a-z0-9_-]{0,62}$",
        examples=["pg_trgm", "vector"],
        **{"not": {"enum": list(neon.BUILT_IN_EXTENSIONS)}},
    ),
]
AllowedIp = Annotated[str, _text(allowed_ip, "^[0-9A-Fa-f.:/-]+$")]
UrlScheme = Annotated[str, _text(url_scheme, "^[a-z][a-z0-9+.-]{0,30}$")]
Expiry = Annotated[date, _text(expiry, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2027-06-30"])]
Memory = Annotated[str, _text(memory, "^[0-9]{1,12}(MB|GB)$", examples=["1GB"])]
GraphRegion = Annotated[str, _text(graph_region, aura.REGION_PATTERN, examples=["us-central1"])]
User = Annotated[str, _text(user, aura.USER_PATTERN)]
GraphVersion = Annotated[str, Rule(choice(*aura.VERSIONS), {"enum": list(aura.VERSIONS)})]
Environment = Annotated[models.Environment, _words(models.Environment)]
Deletion = Annotated[models.Deletion, _words(models.Deletion)]
ServiceName = Annotated[models.ServiceName, _words(models.ServiceName)]
Scope = Annotated[models.Scope, _words(models.Scope)]
Cloud = Annotated[models.Cloud, _words(models.Cloud)]
GraphType = Annotated[models.GraphType, _words(models.GraphType)]


class Written(BaseModel):
    """A mapping of the file: nothing but the keys named here."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class SchemaSource(Written):
    """Where the app's tables come from: one of `template` and `path`."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["template"]}, {"required": ["path"]}]}
    )

    template: Template | None = Field(
        None, description="A schema template that comes with Tenantry."
    )
    path: Folder | None = Field(
        None,
        description="An Alembic folder; relative to this file's folder, starting with ./ or ../.",
    )
    revision: Revision | None = Field(
        None,
        description="The revision to migrate to: an id, or head for the newest.",
        json_schema_extra={"default": "head"},
    )
    allow_downgrade: Flag | None = Field(
        None,
        description="Whether revisions may be taken back, with the data in what they made.",
        json_schema_extra={"default": False},
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.template is None) == (self.path is None):
            raise RuleError('needs one of "template" and "path", and not both')
        return self


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
    branches: dict[Label, Branch] | None = Field(
        None, description="Branches beside main, by name.", json_schema_extra={"default": {}}
    )
    credentials: Credentials | None = None
    url_scheme: UrlScheme | None = Field(
        None,
        description="The scheme of the app's connection URLs.",
        json_schema_extra={"default": "postgresql"},
    )


class Service(Written):
    """A service that the app is registered with."""

    name: ServiceName = Field(description="Which service.")
    enabled: Flag | None = Field(
        None,
        description="False disables it; the app stays registered.",
        json_schema_extra={"default": True},
    )


class ApiKey(Written):
    """An API key of the app."""

    name: Label = Field(description="What it is for; unique in the app.")
    scopes: list[Scope] | None = Field(
        None,
        description="What it may do.",
        json_schema_extra={"default": ["read", "write"], "uniqueItems": True, "minItems": 1},
    )
    generation: Generation | None = Field(
        None, description="Raise it by one to issue a new key.", json_schema_extra={"default": 1}
    )
    revoked: list[Generation] | None = Field(
        None,
        description="Generations to refuse at once; none is above the current one.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )
    expires: Expiry | None = Field(
        None,
        description="The last day, in UTC, on which it is valid; without it, it never expires.",
    )


class Graph(Written):
    """A Neo4j Aura instance for the app."""

    type: GraphType = Field(description="The tier. Changing it replaces the instance.")
    cloud: Cloud = Field(description="The cloud; free-db is on gcp.")
    region: GraphRegion = Field(description="The cloud's own name of the region.")
    memory: Memory = Field(description="The instance's memory in GB; free-db has 1GB.")
    version: GraphVersion | None = Field(
        None, description="Neo4j's version, in quotes.", json_schema_extra={"default": "5"}
    )
    paused: Flag | None = Field(
        None,
        description="Whether it is paused: it keeps its data and answers nothing. Not for free-db.",
        json_schema_extra={"default": False},
    )
    snapshot_before_delete: Flag | None = Field(
        None,
        description="Whether a snapshot is taken before it is deleted or replaced. Not for free-db.",
        json_schema_extra={"default": False},
    )


class GraphsPerUser(Graph):
    """A Neo4j Aura instance for each user of the app: one kind for all, and who they are."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["users"]}, {"required": ["users_file"]}]}
    )

    users: list[User] | None = Field(
        None, description="The users' ids.", json_schema_extra={"uniqueItems": True}
    )
    users_file: Folder | None = Field(
        None,
        description="A file with a user's id on each line, relative to this file's folder, starting with ./ or ../.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.users is None) == (self.users_file is None):
            raise RuleError('needs one of "users" and "users_file", and not both')
        return self


class Quotas(Written):
    """How many of each an app may have."""

    databases: Quota | None = Field(
        None, description="Databases; an app has one.", json_schema_extra={"default": 1}
    )
    api_keys: Quota | None = Field(
        None, description="API keys in the list.", json_schema_extra={"default": 10}
    )
    services: Quota | None = Field(
        None, description="Services in the list.", json_schema_extra={"default": 3}
    )


class RetryPolicy(Written):
    """How often a step is tried, and how long is waited between two attempts."""

    attempts: Attempts | None = Field(None, description="How often it is tried in all.")
    first_delay: Delay | None = Field(None, description="The wait before the second attempt.")
    factor: Factor | None = Field(
        None,
        description="By what each wait is longer than the one before.",
        json_schema_extra={"default": 1},
    )
    cap: Delay | None = Field(
        None, description="The longest wait.", json_schema_extra={"default": "1m"}
    )
    jitter: Jitter | None = Field(
        None,
        description="The share of a wait that is added by chance, at most.",
        json_schema_extra={"default": 0.1},
    )


class Retries(Written):
    """When a step that failed for a passing reason is tried again."""

    database: RetryPolicy | None = Field(
        None, description="Reaching the app's database: 3 attempts, 10s apart."
    )
    migration: RetryPolicy | None = Field(
        None, alias="schema", description="Its migrations: 3 attempts, 5s apart."
    )
    services: RetryPolicy | None = Field(
        None, description="The app and its services in the catalog: 2 attempts, 3s apart."
    )
    keys: RetryPolicy | None = Field(
        None, description="Its API keys in the catalog: 2 attempts, 2s apart."
    )


class Settings(Written):
    """What an app may set, and the defaults for all of them."""

    environment: Environment | None = Field(
        None, description="What the app is for. Production is protected in Pulumi as well."
    )
    region: Region | None = Field(
        None,
        description="Neon's region, or the cloud's name of it. Changing it replaces the project.",
    )
    database: Database | None = None
    services: (
        list[
            Annotated[
                Service,
                BeforeValidator(long_service, json_schema_input_type=ServiceName | Service),
            ]
        ]
        | None
    ) = Field(
        None,
        description="What the app is registered with: names, or mappings.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )
    api_keys: list[ApiKey] | None = Field(
        None, description="The app's API keys.", json_schema_extra={"default": []}
    )
    deletion: Deletion | None = Field(
        None,
        description="What the app's removal from this file does to its cloud resources.",
        json_schema_extra={"default": "protect"},
    )
    quotas: Quotas | None = None
    retries: Retries | None = None


class App(Settings):
    """One app: its own Neon project, database, logins and keys."""

    graph: Graph | None = None
    graphs_per_user: GraphsPerUser | None = None


class Tenant(Written):
    """A customer and its apps."""

    name: Line | None = Field(None, description="The display name; without it, the tenant's key.")
    contact: Line | None = Field(None, description="Whom to ask: an address, a channel, a team.")
    quotas: Quotas | None = None
    apps: dict[Label, App] = Field(description="The tenant's apps, by name; {} for none.")


class Registry(Written):
    """The registry of tenants and their apps."""

    version: Version = Field(description="The version of this file's format.")
    namespace: Label | None = Field(
        None,
        description="The mark in every name in the cloud; one for each registry of an organization.",
        json_schema_extra={"default": "tenantry"},
    )
    defaults: Settings | None = Field(None, description="What holds where an app says nothing.")
    tenants: dict[TenantLabel, Tenant] = Field(description="The tenants, by name; {} for none.")
