"""What the rest of the program needs to know of a cloud, and how it asks one.

A cloud has three places: its facts (`tenantry/clouds/NAME.py`), its client (`tenantry/NAME/`) and its component
(`components/NAME.py`). The facts name the other two, and `table` lists the facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

GONE: Final = "gone"
"""The state of a compute whose project is not there any more."""
_EVERY: Final = "*"


@dataclass(frozen=True)
class Kind:
    """One type of resource, as plans speak of it."""

    word: str
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields of the registry that account for a change, by property. `*` stands for create, delete and every other
    property."""
    lost: str = ""
    """What its deletion destroys for good, with `{}` for its name; empty where it can be made anew without a loss."""
    consequence: bool = False
    """Whether it only notes what other resources are: then it is shown where nothing else changes."""

    def fields(self, name: str = _EVERY) -> tuple[str, ...]:
        """Return the fields that a property follows."""
        return self.follows.get(name, self.follows.get(_EVERY, ()))


@dataclass(frozen=True)
class Account:
    """Where it is said in which account of a cloud a run works."""

    setting: str
    """The stack's setting: `tenantry:neonOrgId`."""
    variable: str
    """The environment's variable, which counts where the setting is missing."""
    property: str
    """A resource's property that has it: `orgId`."""

    def of(self, settings: Mapping[str, str], environment: Mapping[str, str]) -> str:
        """Return the account; empty where the key implies it."""
        return settings.get(self.setting) or environment.get(self.variable) or ""


@dataclass(frozen=True)
class Held:
    """What an app has in a cloud, as a resource has it: in the state, or asked for by a create that was cut off."""

    target: str
    """The app, or the graph: `acme/web`, `acme/web/alice`."""
    name: str
    id: str = ""
    """Empty where only the create is known."""
    account: str = ""
    """The Neon organization, or the Aura project; empty where the API key implies it."""
    place: Mapping[str, str] = field(default_factory=dict)
    """What the cloud cannot change about it, by `Cloud.place`; what the state does not know is not there."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What can be changed about it, as the last run asked, by property; values as `setting_text` gives them."""
    adopts: str = ""
    """The id of the instance that a create is to take over."""


@dataclass(frozen=True)
class Live:
    """A project or an instance that the cloud lists."""

    id: str
    name: str
    account: str
    created: datetime | None = None
    place: Mapping[str, str] = field(default_factory=dict)
    """As `Held.place`; what the list does not tell is not there."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """As `Held.settings`."""


@dataclass(frozen=True)
class Ours:
    """How our things are known in a cloud: by name, by mark, or because a state holds them."""

    names: Collection[str] = ()
    """Whole names."""
    marks: Collection[str] = ()
    """What names begin with: `tenantry--`."""
    held: Sequence[Held] = ()
    """What states hold, known by its id."""

    def has(self, live: Live) -> bool:
        """Tell whether something is ours."""
        return (
            live.name in self.names
            or live.name.startswith(tuple(self.marks))
            or any(each.id == live.id for each in self.held)
        )


@dataclass(frozen=True)
class Seen:
    """What a cloud says."""

    cloud: Cloud
    live: Sequence[Live]
    """Those that are ours by mark, name or id."""
    missing: frozenset[str] = frozenset()
    """Ids that a state holds and of which the cloud said for certain that they are not there."""


class Client(Protocol):
    """A connection to a cloud. Each method raises a `TenantryError` where the cloud refuses or does not answer."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def answers(self) -> datetime | None:
        """Ask the least that needs the credentials and the account; return the cloud's time, where it tells one."""

    def look(self, ours: Ours) -> tuple[list[Live], frozenset[str]]:
        """List what is ours, and the ids of `ours.held` that are not there for certain."""

    def find(self, id_: str) -> Live | None:
        """Return what has an id; None where there is nothing of it."""

    def delete(self, found: Live) -> None:
        """Delete it; one that is gone already is a success."""


class DatabaseClient(Client, Protocol):
    """A connection to a cloud for databases."""

    def computes(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the state of each one's compute by its id (`active`, `idle`, `GONE`). Wakes none."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """A cloud that an app has something in."""

    name: str
    """In the registry and in names of modules: `neon`."""
    title: str
    """In messages."""
    noun: str
    """What an app has there. Also the command that deletes one: `tenantry project delete`."""
    type: str
    """The type of that resource."""
    client: str
    """The module whose `connect(settings, environment)` gives a `Client`."""
    kinds: Mapping[str, Kind]
    """What plans say of each of its types of resources."""
    account: Account
    url: str
    """The variable with the address of its API, where that is not the usual one."""
    secrets: tuple[str, ...]
    """The variables with the credentials that a run needs."""
    place: Mapping[str, str]
    """What it cannot change about what it has made: the word for it, and the property in a state."""
    makes_again: bool
    """Whether a create that was cut off can be taken over: no secret was lost with its answer."""
    regaining: str
    """What to do about one that was deleted outside of the program."""
    looks_first: tuple[str, ...] = ()
    """Types whose create looks by name first whether the work was done."""
    within: frozenset[str] = frozenset()
    """Types of what is lost together with a project or an instance."""
    settings: Callable[[Mapping[str, Any]], Mapping[str, object]] = lambda _inputs: {}
    """Reads from a resource's inputs what can be changed about it; what is not said is None."""
    adopts: str = ""
    """The property with the id that a create is to take over."""

    def connect(self, settings: Mapping[str, str], environment: Mapping[str, str]) -> Client:
        """Connect to the cloud as a run would; nothing is asked yet.

        :param settings: the stack's settings, by their full names (`neon:apiKey`), secrets in clear
        :raises TenantryError: a credential is missing
        """
        client: Client = import_module(self.client).connect(settings, environment)
        return client

    def held(self, resource: Mapping[str, Any], target: str) -> Held:
        """Read a resource of `type` as a state has it.

        :param target: whose it is, where the resource itself does not say
        """
        inputs = resource.get("inputs") or {}
        facts = {**inputs, **(resource.get("outputs") or {})}
        return Held(
            target=text_of(facts.get("target")) or target,
            name=text_of(facts.get("name")),
            id=str(resource.get("id") or ""),
            account=text_of(facts.get(self.account.property)),
            place={
                # A number comes back from JSON as 17 or as 17.0.
                word: f"{value:g}" if isinstance(value, int | float) else text_of(value)
                for word, name in self.place.items()
                if (value := facts.get(name))
            },
            settings=settings_text(self.settings(inputs)),
            adopts=text_of(facts.get(self.adopts)),
        )


@dataclass(frozen=True, eq=False)
class DatabaseCloud(Cloud):
    """A cloud that gives an app a place for its database."""

    component: str = ""
    """The module of its component: a `components.place.Provider`."""
    regions: tuple[str, ...] = ()
    region_aliases: Mapping[str, str] = field(default_factory=dict)
    postgres_versions: tuple[int, ...] = ()
    extensions: frozenset[str] = frozenset()
    """What it documents: the source of suggestions, not a closed list."""
    keys: frozenset[str] = frozenset()
    """The keys of `database` in the registry that it has and another cloud may not have."""

    def connect(
        self, settings: Mapping[str, str], environment: Mapping[str, str]
    ) -> DatabaseClient:
        """Connect as `Cloud.connect` does."""
        client: DatabaseClient = import_module(self.client).connect(settings, environment)
        return client


def text_of(value: object) -> str:
    """Return a property's text; empty where it is a secret, or was not known yet."""
    return value if isinstance(value, str) else ""


def settings_text(values: Mapping[str, object]) -> dict[str, str]:
    """Return as text what is said of each setting."""
    told = (int, float, list, str)
    return {name: setting_text(each) for name, each in values.items() if isinstance(each, told)}


def setting_text(value: object) -> str:
    """Return a number or a list the same way wherever it comes from: 2 and 2.0, and lists in any order."""
    if isinstance(value, list):
        return ", ".join(sorted(map(setting_text, value)))
    return f"{value:.16g}" if isinstance(value, int | float) else str(value)
