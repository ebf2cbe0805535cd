"""What each plan allows (https://neon.com/docs/introduction/plans, as of 2026-03-20)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from localcloud.neon.errors import bad_request, limit

DEFAULT_SUSPEND_SECONDS = 300
MIN_SUSPEND_SECONDS = 60
MAX_SUSPEND_SECONDS = 604_800
ROLES_PER_BRANCH = 500
DATABASES_PER_BRANCH = 500
MAX_AUTOSCALING_CU = 16
MAX_AUTOSCALING_SPAN_CU = 8
MAX_FIXED_CU = 56
DEFAULT_CU = 0.25
DEFAULT_RETENTION_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's limits. Times in seconds, sizes in compute units and bytes."""

    name: str
    subscription_type: str
    projects: int
    branches_per_project: int
    root_branches_per_project: int
    protected_branches_per_project: int
    max_cu: float
    max_retention_seconds: int
    logical_size_bytes: int
    custom_suspend: bool
    never_suspend: bool
    maintenance_window: bool
    ip_allow: bool
    vpc: bool
    spending_limit: bool

    def check_projects(self, present: int) -> None:
        """Refuse one project more than the plan has."""
        if present >= self.projects:
            raise limit(
                "PROJECTS_LIMIT_EXCEEDED",
                f"user projects limit of {self.projects} exceeded, got {present}",
            )

    def check_branches(self, present: int) -> None:
        """Refuse one branch more than the plan has in a project."""
        if present >= self.branches_per_project:
            raise limit(
                "BRANCHES_LIMIT_EXCEEDED",
                f"branches limit of {self.branches_per_project} exceeded, got {present}",
            )

    def check_protected(self, present: int) -> None:
        """Refuse one protected branch more than the plan has in a project."""
        if present >= self.protected_branches_per_project:
            raise limit(
                "BRANCHES_PROTECTED_LIMIT_EXCEEDED",
                f"protected branches limit of {self.protected_branches_per_project} exceeded, got {present}",
            )

    def check_retention(self, seconds: int) -> None:
        """Refuse a history longer than the plan keeps."""
        if seconds > self.max_retention_seconds:
            raise bad_request(
                "requested history retention seconds exceeds allowed maximum; "
                f'requested_history_retention_seconds:"{seconds}", max:"{self.max_retention_seconds}"'
            )

    def check_compute(self, minimum: float, maximum: float) -> None:
        """Refuse a size range that Neon or the plan does not have."""
        if minimum > maximum:
            raise bad_request(
                f"autoscaling_limit_min_cu must not exceed autoscaling_limit_max_cu; min:{minimum:g}, max:{maximum:g}"
            )
        if maximum > self.max_cu:
            raise bad_request(
                f"autoscaling_limit_max_cu exceeds the maximum of the plan; requested:{maximum:g}, max:{self.max_cu:g}"
            )
        if minimum != maximum and maximum > MAX_AUTOSCALING_CU:
            raise bad_request(
                f"autoscaling is supported up to {MAX_AUTOSCALING_CU} CU; requested:{maximum:g}"
            )
        if maximum - minimum > MAX_AUTOSCALING_SPAN_CU:
            raise bad_request(
                "the difference between autoscaling_limit_max_cu and autoscaling_limit_min_cu must not exceed "
                f"{MAX_AUTOSCALING_SPAN_CU}; min:{minimum:g}, max:{maximum:g}"
            )

    def check_suspend(self, seconds: int) -> None:
        """Refuse a suspend timeout that Neon or the plan does not have: 0 is the default, -1 is never."""
        if seconds in {0, DEFAULT_SUSPEND_SECONDS}:
            return
        if seconds == -1:
            if not self.never_suspend:
                raise bad_request("suspend timeout cannot be disabled for this account")
            return
        if not MIN_SUSPEND_SECONDS <= seconds <= MAX_SUSPEND_SECONDS:
            raise bad_request(
                f"suspend_timeout_seconds must be -1, 0 or from {MIN_SUSPEND_SECONDS} to {MAX_SUSPEND_SECONDS}; "
                f"requested:{seconds}"
            )
        if not self.custom_suspend:
            raise bad_request("suspend timeout is not configurable for this account")

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Refuse project settings that the plan does not have."""
        if "maintenance_window" in settings and not self.maintenance_window:
            raise bad_request(
                "editing maintenance window preferences is not allowed for this account"
            )
        ips = settings.get("allowed_ips", {}).get("ips", [])
        if ips and not self.ip_allow:
            raise bad_request("IP Allow is not available for this account")
        for entry in ips:
            check_ip_range(entry)

    def check_vpc(self) -> None:
        """Refuse VPC endpoints where the plan has none."""
        if not self.vpc:
            raise bad_request("VPC endpoints are not available for this account")


def check_ip_range(text: str) -> None:
    """Refuse what is no address, no range ``first-last`` and no CIDR block. Raises ApiError 400.

    The local cloud keeps and returns the list. It does not enforce it: every client here comes from a loopback address.
    """
    first, dash, last = text.partition("-")
    try:
        if dash:
            ordered = int(ipaddress.ip_address(first)) <= int(ipaddress.ip_address(last))
        else:
            ordered = bool(ipaddress.ip_network(text, strict=False))
    except ValueError:
        ordered = False
    if not ordered:
        raise bad_request(f'invalid IP address, range or CIDR block in allowed_ips: "{text}"')


PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            name="free",
            subscription_type="free_v2",
            projects=100,
            branches_per_project=10,
            root_branches_per_project=3,
            protected_branches_per_project=0,
            max_cu=2,
            max_retention_seconds=21_600,
            logical_size_bytes=512 * 1024 * 1024,
            custom_suspend=False,
            never_suspend=False,
            maintenance_window=False,
            ip_allow=False,
            vpc=False,
            spending_limit=False,
        ),
        Plan(
            name="launch",
            subscription_type="launch",
            projects=100,
            branches_per_project=10,
            root_branches_per_project=5,
            protected_branches_per_project=2,
            max_cu=16,
            max_retention_seconds=604_800,
            logical_size_bytes=16 * 1024**4,
            custom_suspend=False,
            never_suspend=True,
            maintenance_window=True,
            ip_allow=False,
            vpc=False,
            spending_limit=True,
        ),
        Plan(
            name="scale",
            subscription_type="scale",
            projects=1000,
            branches_per_project=25,
            root_branches_per_project=25,
            protected_branches_per_project=5,
            max_cu=MAX_FIXED_CU,
            max_retention_seconds=2_592_000,
            logical_size_bytes=16 * 1024**4,
            custom_suspend=True,
            never_suspend=True,
            maintenance_window=True,
            ip_allow=True,
            vpc=True,
            spending_limit=True,
        ),
    )
}
