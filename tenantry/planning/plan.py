"""The plan as one document: what `tenantry plan --json` prints and `--out` keeps. Nothing in it is secret.

Its JSON Schema is `plan.schema.json`, made from these models by `make schema`. A change that an older reader would
misread raises VERSION.
"""

from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

VERSION: Final = 1
Action: TypeAlias = Literal["delete", "replace", "update", "create"]
Operation: TypeAlias = Literal["create", "update", "replace", "delete"]

_PLAIN_ENTRY: Final = "{}"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Counts(_Part):
    """How many are created and so on."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    unchanged: int = 0

    @property
    def pending(self) -> int:
        """All but the unchanged ones."""
        return self.create + self.update + self.replace + self.delete


class FieldChange(_Part):
    """A field of the registry with its old and new value."""

    field: str
    """Its path below the app (`database.compute.max_cu`), or from the top where it is not the app's own
    (`tenants.acme.contact`)."""
    old: str | None
    """As it would be written in the registry; null where there was none."""
    new: str | None
    """Null where it leaves."""
    effect: str | None = None
    """What follows from it, where the field does not say so."""

    @property
    def text(self) -> str:
        """The change on one line."""
        if self.old is None:
            change = f"{self.field}: {'added' if self.new == _PLAIN_ENTRY else self.new}"
        elif self.new is None:
            was = "" if self.old == _PLAIN_ENTRY else f" ({self.old})"
            change = f"{self.field}: removed{was}"
        else:
            change = f"{self.field}: {self.old} → {self.new}"
        return f"{change}, {self.effect}" if self.effect else change


class PropertyChange(_Part):
    """A property of a resource that no field of the registry accounts for."""

    name: str
    old: str | None
    new: str | None

    @property
    def text(self) -> str:
        """The change on one line."""
        if self.old == self.new:
            # Both are secret: only that they differ can be said.
            return f"{self.name}: another value"
        return f"{self.name}: {self.old or 'none'} → {self.new or 'none'}"


class ResourceChange(_Part):
    """What is done to a resource for another reason than an edit of the registry."""

    operation: Operation
    kind: str
    """In words: `login`, `migration`."""
    name: str
    """The resource's name, which begins with the app's id."""
    properties: tuple[PropertyChange, ...] = ()

    @property
    def text(self) -> str:
        """The change on one line."""
        said = "; ".join(each.text for each in self.properties)
        return f"{self.operation} {self.kind} {self.name}" + (f": {said}" if said else "")


class Capacity(_Part):
    """What an app may use more in a month of 744 hours; less where a number is below 0."""

    least: float = 0
    """Compute-unit-hours where its computes sleep as much as they may: only those that never suspend count."""
    most: float = 0
    """Compute-unit-hours where they never sleep and are as large as they may be."""
    graphs: dict[str, float] = Field(default_factory=dict)
    """GB of memory, by the graph's type; a paused one's as a fifth."""


class Row(_Part):
    """What happens to one app, or to what a stack has beside its apps."""

    stack: str
    app: str | None
    """Null for what the stack has beside its apps: the catalog's tables."""
    action: Action
    resources: Counts
    """Of its resources in the clouds, databases and the catalog."""
    destroys: tuple[str, ...] = ()
    """What is lost for good, in words."""
    notes: tuple[str, ...] = ()
    """What the run itself says about it."""
    changes: tuple[FieldChange, ...] = ()
    others: tuple[ResourceChange, ...] = ()
    capacity: Capacity | None = None
    """Null where neither its compute nor a graph changes."""

    @property
    def name(self) -> str:
        """The app's id, or the stack."""
        return self.app or f"stack {self.stack}"


class Refusal(_Part):
    """Why a run would stop before its first change."""

    stack: str
    app: str | None
    """Where the text names one."""
    text: str
    """What is refused and what to do."""


class Digests(_Part):
    """What a plan was made of, each as SHA-256 in hexadecimal. By app, or by "" for the stack's own."""

    registry: dict[str, str]
    """Of each selected app as it is declared: neither comments nor order count."""
    program: str
    """Of our packages, the program and the versions of what it is built on."""
    state: dict[str, str]
    """Of what the stack held: changes with every applied change."""
    changes: dict[str, str]
    """Of each row of the plan."""
    settings: str = ""
    """Of a fleet: the settings, the environment and the schemas' revisions, which decide what is made; else empty."""


class Stack(_Part):
    """A stack that the plan is about."""

    name: str
    selection: tuple[str, ...]
    """The apps that it is to hold, sorted."""
    digests: Digests


class Monthly(_Part):
    """What a plan adds to a month's cost, by the registry's prices; less where an amount is below 0. An estimate."""

    least: str
    """With two digits: computes sleep as much as they may."""
    most: str
    """With two digits: no compute sleeps, and each is as large as it may be."""
    currency: str
    plan: str
    """The plan at Neon."""
    as_of: str
    """The day of the prices."""
    unpriced: tuple[str, ...] = ()
    """Types of graphs that have no price, and are not in it."""


class Plan(_Part):
    """What a run would do."""

    version: Literal[1] = VERSION
    kind: Literal["tenantry.plan"] = "tenantry.plan"
    summary: Counts
    """Of apps."""
    rows: tuple[Row, ...]
    """What destroys comes first; then by action and name. Unchanged apps have none."""
    refusals: tuple[Refusal, ...] = ()
    """Where there is one, nothing was planned."""
    warnings: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """Apps that may leave or be replaced beside others, by name (`--allow-destroy`)."""
    monthly: Monthly | None = None
    """Null where neither a compute nor a graph changes."""
    stacks: tuple[Stack, ...] = Field(default=())
    """Without refusals, what the plan was made of."""

    @property
    def exit_code(self) -> int:
        """0 nothing to do, 1 refused, 2 changes pending."""
        if self.refusals:
            return 1
        return 2 if self.rows else 0
