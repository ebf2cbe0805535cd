"""What an order says: at which requests of which API, how often, and which fault.

The README lists them with what each does. Each class of a fault is named for its ``kind``.
"""

# ruff: noqa: D101 (the README is the description)

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from localcloud.faults.patterns import check

LONGEST_SECONDS = 3600.0


class Api(StrEnum):
    """What can be made to fail."""

    NEON = "neon"
    AURA = "aura"
    POSTGRES = "postgres"


When = Literal["before", "after"]
_Printable = Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]


class _Strict(BaseModel):
    # An unknown key is an error: a misspelt order would be one that never takes effect.
    model_config = ConfigDict(strict=True, extra="forbid")


class Status(_Strict):
    kind: Literal["status"] = "status"
    status: Annotated[int, Field(ge=200, le=599)]
    body: Any = None
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")], _Printable] = {}
    when: When = "before"


class Delay(_Strict):
    kind: Literal["delay"] = "delay"
    seconds: Seconds
    when: When = "before"


class Drop(_Strict):
    kind: Literal["drop"] = "drop"
    when: When = "before"


class Hold(_Strict):
    kind: Literal["hold"] = "hold"
    when: When = "before"
    then: Literal["go", "drop"] = "go"


class Truncate(_Strict):
    kind: Literal["truncate"] = "truncate"
    bytes: Annotated[int, Field(ge=0)]


class Drip(_Strict):
    kind: Literal["drip"] = "drip"
    seconds: Seconds


class ContentType(_Strict):
    kind: Literal["content_type"] = "content_type"
    value: _Printable


class Operation(_Strict):
    kind: Literal["operation"] = "operation"
    action: str = "*"
    outcome: Literal["failed", "never"]
    reason: str = "as ordered"


class NoWake(_Strict):
    kind: Literal["no_wake"] = "no_wake"


class Refuse(_Strict):
    kind: Literal["refuse"] = "refuse"


class TooManyConnections(_Strict):
    kind: Literal["too_many_connections"] = "too_many_connections"


class Die(_Strict):
    kind: Literal["die"] = "die"


Fault: TypeAlias = (
    Status
    | Delay
    | Drop
    | Hold
    | Truncate
    | Drip
    | ContentType
    | Operation
    | NoWake
    | Refuse
    | TooManyConnections
    | Die
)
_EVERYWHERE = (Delay, Drop, Hold)
_HTTP = (*_EVERYWHERE, Status, Truncate, Drip, ContentType)
_ALLOWED: dict[Api, tuple[type[_Strict], ...]] = {
    Api.NEON: (*_HTTP, Operation),
    Api.AURA: _HTTP,
    Api.POSTGRES: (*_EVERYWHERE, NoWake, Refuse, TooManyConnections, Die),
}
_AT_CONNECT = (NoWake, Refuse, TooManyConnections)


def acts_after(fault: Fault) -> bool:
    """Whether a fault takes effect when the work is done, and not before it."""
    match fault:
        case Truncate() | Drip() | ContentType():
            return True
        case Status() | Delay() | Drop() | Hold():
            return fault.when == "after"
        case _:
            return False


class Order(_Strict):
    """An order. ``nth``: exactly these of the matching requests, from 1, in place of skip, count and probability."""

    api: Annotated[Api, Field(strict=False)]
    match: str
    skip: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=1)] | None = 1
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int | None = None
    nth: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] | None = None
    fault: Annotated[Fault, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _fits(self) -> Order:
        """Refuse what could never take effect."""
        check(self.api, self.match)
        if type(self.fault) not in _ALLOWED[self.api]:
            raise ValueError(f"the fault {self.fault.kind} does not exist for {self.api}")
        if self.api is Api.POSTGRES:
            at_connect = self.match.split(None, 1)[1].lower() == "connect"
            if isinstance(self.fault, _AT_CONNECT) and not at_connect:
                raise ValueError(f'the fault {self.fault.kind} needs a match of "HOST connect"')
            if isinstance(self.fault, Die) and at_connect:
                raise ValueError('the fault die needs a match of "HOST STATEMENT"')
        if self.nth is not None and {"skip", "count", "probability"} & self.model_fields_set:
            raise ValueError("nth stands for skip, count and probability: give one or the others")
        return self


class Injected(BaseModel):
    """An entry of the record, as far as a replay needs it; what else it says is for readers."""

    order: int
    api: Annotated[Api, Field(strict=False)]
    match: str
    nth: Annotated[int, Field(ge=1)]
    fault: Annotated[Fault, Field(discriminator="kind")]


class Record(BaseModel):
    """A record, as ``GET /_localcloud/faults/injected`` answers it."""

    injected: list[Injected]

    def orders(self) -> list[Order]:
        """Return orders that let the same faults hit the same requests, counted from their placement.

        Raises ValidationError for an entry that no order can have left.
        """
        by_order: dict[int, list[Injected]] = {}
        for entry in self.injected:
            by_order.setdefault(entry.order, []).append(entry)
        return [
            Order(
                api=entries[0].api,
                match=entries[0].match,
                nth=sorted(entry.nth for entry in entries),
                fault=entries[0].fault,
            )
            for _, entries in sorted(by_order.items())
        ]
