"""Which apps a run is about."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import count
from math import gcd
from typing import TYPE_CHECKING, Any, Final, get_args

from tenantry.errors import did_you_mean, shown
from tenantry.registry import SelectionError
from tenantry.registry.models import Environment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from tenantry.registry import App, Registry

_SHARD: Final = re.compile(r"(\d{1,4})/(\d{1,4})")


@dataclass(frozen=True)
class Shard:
    """One of `count` parts of a fleet; which one an app is in follows from its id alone."""

    number: int
    """From 1 to `count`."""
    count: int

    @classmethod
    def of(cls, text: str) -> Shard:
        """Read `2/5`.

        :raises SelectionError: it is not of this form
        """
        found = _SHARD.fullmatch(text)
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= count:
            raise SelectionError(
                f"{shown(text)} is no shard: write its number and how many there are, such as 1/4"
            )
        return cls(number, count)

    @classmethod
    def of_the_hour(cls, text: str, now: datetime) -> Shard:
        """Read `1/24`, and return that one of so many parts whose turn it is.

        It follows from the hour (UTC) alone, so that any machine knows it: one part further each hour. From a day to
        the next it goes on by so many that a run at the same hour of each day comes around to every part as well.

        :raises SelectionError: it is not of this form
        """
        found = cls.of(text)
        if found.number != 1:
            raise SelectionError(f"{shown(text)} is no share: write one of how many, such as 1/24")
        hours = int(now.timestamp()) // 3600
        daily = next(step for step in count(24) if gcd(step, found.count) == 1)
        turn = hours % 24 + daily * (hours // 24)
        return cls(turn % found.count + 1, found.count)

    def holds(self, app: str) -> bool:
        """Tell whether an app is in this part."""
        return (
            int.from_bytes(hashlib.sha256(app.encode()).digest()[:8]) % self.count
            == self.number - 1
        )


@dataclass(frozen=True)
class Selection:
    """Which apps a run is limited to. An app must meet every condition that is given."""

    only: frozenset[str] = frozenset()
    """Ids of apps; also of such as left the registry."""
    tenants: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    changed: frozenset[str] | None = None
    """Ids of the apps that differ from an earlier revision (`revisions`); None where that is no condition."""
    shard: Shard | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON, for the record of a run."""
        return {
            "only": sorted(self.only),
            "tenants": sorted(self.tenants),
            "environments": sorted(self.environments),
            "changed": None if self.changed is None else sorted(self.changed),
            "shard": f"{self.shard.number}/{self.shard.count}" if self.shard else None,
        }

    @property
    def everything(self) -> bool:
        """Whether nothing narrows the run down."""
        return self == Selection()

    def check(self, registry: Registry, left: Collection[str]) -> None:
        """Refuse names that neither the registry nor a stack has.

        :param left: ids of apps that have a stack, and are not in the registry
        :raises SelectionError: in one line
        """
        apps = {app.id for app in registry.apps} | set(left)
        tenants = {tenant.label for tenant in registry.tenants} | {
            each.split("/")[0] for each in left
        }
        environments = get_args(Environment)
        for what, given, known in (
            ("app", self.only, apps),
            ("tenant", self.tenants, tenants),
            ("environment", self.environments, environments),
        ):
            unknown = sorted(
                f"{shown(name)}{did_you_mean(name, known)}" for name in given if name not in known
            )
            if unknown:
                raise SelectionError(f"no such {what}: {', '.join(unknown)}")

    def apps(self, apps: Iterable[App]) -> Iterator[App]:
        """Choose among the registry's apps."""
        for app in apps:
            if (not self.environments or app.environment in self.environments) and self._named(
                app.id
            ):
                yield app

    def left(self, apps: Iterable[str]) -> Iterator[str]:
        """Choose among apps that are no longer in the registry. Their environment is not known."""
        return (app for app in apps if not self.environments and self._named(app))

    def _named(self, app: str) -> bool:
        return (
            (not self.only or app in self.only)
            and (not self.tenants or app.split("/", maxsplit=1)[0] in self.tenants)
            and (self.changed is None or app in self.changed)
            and (self.shard is None or self.shard.holds(app))
        )
