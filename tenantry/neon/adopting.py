"""A Neon project that is there and an app is to have: what it has, what speaks against it, and what makes it ours.

Taking it over is the Neon plugin's work, which knows an app's project by its name. Before that, two things are done
here: the app's owner role is made beside the roles that are there, and then the project gets the app's name. The name
comes last, since it is the mark: a project that has it has the role too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tenantry.clouds.neon import NEVER
from tenantry.neon.client import NeonError, as_project
from tenantry.registry.names import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.clouds.cloud import Live
    from tenantry.neon.client import NeonApi

_USUAL_SUSPENSION: Final = 300
"""Seconds; what Neon's 0 stands for (API v2, `suspend_timeout_seconds`)."""
_QUOTA: Final = {
    "active_time": "active_time_seconds",
    "compute_time": "compute_time_seconds",
    "written_data": "written_data_bytes",
    "data_transfer": "data_transfer_bytes",
    "logical_size": "logical_size_bytes",
}


@dataclass(frozen=True)
class Existing:
    """A live project as it is before an app has it."""

    project: Live
    branch: str
    """The id of its default branch; empty where it has none."""
    databases: tuple[str, ...]
    """Of that branch, the oldest first."""
    roles: tuple[str, ...]
    writable: bool
    """Whether that branch has a compute that takes writes."""
    keeps_passwords: bool
    """Whether Neon tells the password of a role."""
    settings: Mapping[str, Any]
    """What the registry says of a project, in its words and plain units, as `tenantry.registry.declared` gives it."""

    def facts(self) -> str:
        """Return as one text, JSON, what a plan compares with what the registry says. Nothing in it is secret."""
        found = {
            "project": self.project.id,
            "name": self.project.name,
            "databases": self.databases,
            "roles": self.roles,
            "settings": self.settings,
        }
        return json.dumps(found, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class Wanted:
    """The app that is to have the project."""

    app: str
    name: str
    """The project's name from then on."""
    owner: str
    """The role that owns what is made in it."""
    organization: str
    """Empty where the API key implies it."""
    region: str
    postgres_version: int
    logical_replication: bool


def read_existing(api: NeonApi, project_id: str) -> Existing | None:
    """Read a live project; None where there is none of this id.

    :raises NeonError: it cannot be asked
    """
    answer = api.ask("GET", f"/projects/{project_id}")
    if answer is None:
        return None
    found = answer["project"]
    branch = _default_branch(api, project_id)
    place = f"/projects/{project_id}/branches/{branch}"
    computes = _listed(api, f"{place}/endpoints", "endpoints") if branch else []
    writing = [each for each in computes if each["type"] == "read_write" and not each["disabled"]]
    databases = _listed(api, f"{place}/databases", "databases") if branch else []
    roles = _listed(api, f"{place}/roles", "roles") if branch else []
    by_age = sorted(databases, key=lambda each: each["created_at"])
    return Existing(
        project=as_project(found),
        branch=branch,
        databases=tuple(each["name"] for each in by_age),
        roles=tuple(each["name"] for each in roles),
        writable=bool(writing),
        keeps_passwords=found.get("store_passwords") is not False,
        settings=_settings(found, writing[0] if writing else {}),
    )


def fault_of(api: NeonApi, project_id: str, existing: Existing | None, wanted: Wanted) -> str:
    """Say in one line why an app cannot have a project; empty where nothing speaks against it.

    :param existing: as `read_existing` gives it
    :raises NeonError: it cannot be asked
    """
    if existing is None:
        return (
            f"Neon has no project {project_id} that this API key sees: look at the id, and whose key NEON_API_KEY is; "
            "without adopt the app gets a project of its own"
        )
    found = existing.project
    differing = [
        f"is in {what} {has}, and {wanted.app} is to be in {want}"
        for what, has, want in (
            ("organization", found.account, wanted.organization),
            ("region", found.place["region"], wanted.region),
        )
        if has and want and has != want
    ]
    version = existing.settings["database"]["postgres_version"]
    if version != wanted.postgres_version:
        differing.append(
            f"has PostgreSQL {version}, and {wanted.app} is to have {wanted.postgres_version}"
        )
    if differing:
        return f"project {project_id} {', and it '.join(differing)}, which Neon cannot change: write what the project has"
    return _unfit(existing, wanted) or _taken(api, existing, wanted)


def make_ours(api: NeonApi, existing: Existing, wanted: Wanted) -> None:
    """Make the owner role beside those that are there, then give the project the app's name.

    Done twice, it finds both. Data, databases, roles and the project's settings stay.

    :raises NeonError: Neon refuses it, or cannot be asked
    """
    place = f"/projects/{existing.project.id}"
    roles = f"{place}/branches/{existing.branch}/roles"
    if wanted.owner not in existing.roles:
        try:
            api.ask("POST", roles, body={"role": {"name": wanted.owner}})
        except NeonError:
            # After an answer that was lost the second attempt finds the role of the first.
            if api.ask("GET", f"{roles}/{wanted.owner}") is None:
                raise
    if existing.project.name != wanted.name:
        api.ask("PATCH", place, body={"project": {"name": wanted.name}})


def _unfit(existing: Existing, wanted: Wanted) -> str:
    """Say what a project lacks that an app cannot do without."""
    told = f"project {existing.project.id}"
    if not existing.branch:
        return f"{told} has no default branch: choose one in Neon"
    if not existing.writable:
        return f"{told} has no compute that takes writes on its default branch: add one in Neon"
    if not existing.databases:
        return f"{told} has no database, and its owner needs one to connect to: make one in Neon"
    if not existing.keeps_passwords:
        return (
            f"{told} keeps no passwords (store_passwords), so nobody can be told that of the owner, and Neon cannot "
            "change it: dump its data into a new project"
        )
    if existing.settings["database"]["logical_replication"] and not wanted.logical_replication:
        return f"{told} has logical replication, which Neon cannot turn off: write logical_replication: true"
    return ""


def _taken(api: NeonApi, existing: Existing, wanted: Wanted) -> str:
    """Say whose the project is already, or which other project has the app's name."""
    found = existing.project
    if found.name != wanted.name:
        if whose := _app_of(found.name):
            return (
                f"project {found.id} is called {found.name}, as the one of {whose} is: release that app, and give the "
                "project another name in Neon"
            )
        named = api.projects(wanted.organization, wanted.name)
        for each in named:
            if each.name == wanted.name and each.id != found.id:
                return (
                    f"{wanted.app} has project {each.id} already (its name is {wanted.name}): adopt is for an app "
                    "without one"
                )
    return ""


def _app_of(name: str) -> str:
    """Return the app whose project is called so, of whichever registry; empty where it is no derived name."""
    parts = name.split("--")
    if len(parts) == len(("namespace", "tenant", "app")) and all(map(LABEL.fullmatch, parts)):
        return "/".join(parts[1:])
    return ""


def _default_branch(api: NeonApi, project_id: str) -> str:
    query: dict[str, str] = {}
    while page := api.ask("GET", f"/projects/{project_id}/branches", query):
        for each in page["branches"]:
            if each.get("default") or each.get("primary"):
                return str(each["id"])
        following = (page.get("pagination") or {}).get("next")
        if not page["branches"] or not following or following == query.get("cursor"):
            break
        query = {"cursor": following}
    return ""


def _listed(api: NeonApi, path: str, kind: str) -> list[dict[str, Any]]:
    answer = api.ask("GET", path)
    return list(answer[kind]) if answer else []


def _settings(found: Mapping[str, Any], compute: Mapping[str, Any]) -> dict[str, Any]:
    settings = found.get("settings") or {}
    quota = {
        name: (settings.get("quota") or {}).get(theirs) or None for name, theirs in _QUOTA.items()
    }
    database = {
        "postgres_version": int(found["pg_version"]),
        "history_retention": found["history_retention_seconds"],
        "allowed_ips": sorted((settings.get("allowed_ips") or {}).get("ips") or ()),
        "block_public_connections": settings.get("block_public_connections") or False,
        "logical_replication": settings.get("enable_logical_replication") or False,
        "maintenance_window": None,
        "quota": quota if any(quota.values()) else None,
    }
    if compute:
        # Of the compute that is there; the project's own settings are the defaults of those to come.
        suspension = compute.get("suspend_timeout_seconds") or _USUAL_SUSPENSION
        database["compute"] = {
            "min_cu": compute["autoscaling_limit_min_cu"],
            "max_cu": compute["autoscaling_limit_max_cu"],
            "suspend_after": NEVER if suspension < 0 else suspension,
        }
    return {"region": found["region_id"], "database": database}
