"""How much of everything was used."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class MonthError(TenantryError):
    """A month that is none, or that has not begun."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """Amounts, in the units in which Neon counts."""

    compute: int = 0
    """Compute-unit-seconds."""
    root_storage: int = 0
    """Byte-hours of root branches."""
    child_storage: int = 0
    """Byte-hours of child branches."""
    history: int = 0
    """Byte-hours of instant restore."""
    snapshots: int = 0
    """Byte-hours."""
    branches: int = 0
    """Branch-hours of child branches, those that the plan includes among them."""
    transfer: int = 0
    """Bytes sent over the public network."""
    private_transfer: int = 0
    """Bytes over private networks."""
    written: int = 0
    """Bytes written. Neon tells it on the Free plan alone; elsewhere it is billed as history."""

    @property
    def storage(self) -> int:
        """Byte-hours of all branches."""
        return self.root_storage + self.child_storage


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What one project used from the beginning of a day."""

    app: str
    project: str
    day: date
    use: Use


@dataclass(frozen=True)
class Month:
    """A month in UTC, and how much of it is over."""

    start: datetime
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def read(cls, text: str | None, now: datetime | None = None) -> Month:
        """Read `YYYY-MM`; None is the current one.

        :raises MonthError: it is no month, or has not begun
        """
        now = now or datetime.now(UTC)
        start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if text is not None:
            try:
                start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
            except ValueError:
                raise MonthError(
                    f"{text} is not a month: write one such as {start:%Y-%m}", place="--month"
                ) from None
        if start > now:
            raise MonthError(f"{text} has not begun", place="--month")
        return cls(start, now)

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}"

    @property
    def end(self) -> datetime:
        """The beginning of the next one."""
        month = self.start.month % 12 + 1
        return self.start.replace(year=self.start.year + (month == 1), month=month)

    @property
    def is_current(self) -> bool:
        """Whether it is not over."""
        return self.now < self.end

    @property
    def hours(self) -> float:
        """All its hours."""
        return (self.end - self.start).total_seconds() / 3600

    @property
    def passed(self) -> float:
        """The hours of it that are over."""
        return self.hours_since(self.start.date())

    def hours_since(self, day: date) -> float:
        """Return the hours of it from the beginning of a day until now."""
        begun = max(self.start, datetime(day.year, day.month, day.day, tzinfo=UTC))
        return max(0.0, (min(self.end, self.now) - begun).total_seconds() / 3600)

    def holds(self, day: date) -> bool:
        """Tell whether a day is in it."""
        return self.start.date() <= day < self.end.date()


_AMOUNTS: Final = tuple(each.name for each in fields(Use))


def total(uses: Iterable[Use]) -> Use:
    """Return the sum."""
    # By columns: a month of a large fleet has 300,000 of them.
    rows = tuple(uses)
    return Use(**{name: sum(getattr(each, name) for each in rows) for name in _AMOUNTS})


_NAMES = {
    "compute_unit_seconds": "compute",
    "root_branch_bytes_month": "root_storage",
    "child_branch_bytes_month": "child_storage",
    "instant_restore_bytes_month": "history",
    "snapshot_storage_bytes_month": "snapshots",
    "extra_branches_month": "branches",
    "public_network_transfer_bytes": "transfer",
    "private_network_transfer_bytes": "private_transfer",
    "written_data_bytes": "written",
}


def as_use(values: Mapping[str, int]) -> Use:
    """Read amounts by Neon's names of the metrics."""
    return Use(**{_NAMES[name]: value for name, value in values.items() if name in _NAMES})
