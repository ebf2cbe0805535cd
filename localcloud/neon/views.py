"""Records as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from localcloud.clock import parse
from localcloud.neon.cloud import recoverable_until
from localcloud.neon.regions import domain_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Database, Endpoint, Json, Operation, Project, Role

USER_EMAIL = "operator@localcloud.example"
USER_NAME = "Local Operator"
_BRANCH_OPTIONAL = (
    "pending_state",
    "parent_id",
    "parent_lsn",
    "parent_timestamp",
    "expires_at",
    "last_reset_at",
    "restored_from",
    "restored_as",
    "restore_status",
)
_NEVER = "0001-01-01T00:00:00Z"


def _project_common(cloud: Cloud, project: Project) -> Json:
    shown: Json = {
        "id": project.id,
        "platform_id": project.region_id.partition("-")[0],
        "region_id": project.region_id,
        "name": project.name,
        "provisioner": project.provisioner,
        "default_endpoint_settings": project.default_endpoint_settings,
        "settings": project.settings,
        "pg_version": project.pg_version,
        "proxy_host": domain_of(project.region_id),
        "branch_logical_size_limit": cloud.plan.logical_size_bytes // 1024**2,
        "branch_logical_size_limit_bytes": cloud.plan.logical_size_bytes,
        "store_passwords": project.store_passwords,
        "cpu_used_sec": 0,
        "creation_source": "console",
        "created_at": project.created_at,
        "updated_at": project.updated_at,
        "synthetic_storage_size": 0,
        "owner_id": project.owner_id,
        "org_id": project.org_id,
        "history_retention_seconds": project.history_retention_seconds,
    }
    return shown


def project(cloud: Cloud, record: Project, *, owner: bool = False) -> Json:
    """Return a project; with ``owner`` only where Neon gives it (a GET of one project)."""
    shown = _project_common(cloud, record) | {
        "data_storage_bytes_hour": 0,
        "data_transfer_bytes": 0,
        "written_data_bytes": 0,
        "compute_time_seconds": 0,
        "active_time_seconds": 0,
        "consumption_period_start": _NEVER,
        "consumption_period_end": _NEVER,
    }
    if owner:
        shown["owner"] = {
            "email": USER_EMAIL,
            "name": USER_NAME,
            "branches_limit": cloud.plan.branches_per_project,
            "subscription_type": cloud.plan.subscription_type,
        }
    return shown


def project_item(cloud: Cloud, record: Project) -> Json:
    """Return a project as it stands in a list."""
    shown = _project_common(cloud, record) | {"active_time": 0, "org_name": "Local Cloud"}
    if record.deleted_at:
        shown["deleted_at"] = record.deleted_at
        shown["recoverable_until"] = recoverable_until(record.deleted_at)
    return shown


def branch(record: Branch) -> Json:
    """Return a branch, with ``primary`` (deprecated, read by older clients) beside ``default``."""
    shown: Json = {
        "id": record.id,
        "project_id": record.project_id,
        "name": record.name,
        "current_state": record.current_state,
        "state_changed_at": record.state_changed_at,
        "creation_source": "console",
        "primary": record.default,
        "default": record.default,
        "protected": record.protected,
        "cpu_used_sec": 0,
        "compute_time_seconds": 0,
        "active_time_seconds": 0,
        "written_data_bytes": 0,
        "data_transfer_bytes": 0,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "created_by": {"name": USER_NAME, "image": ""},
        "init_source": record.init_source,
    }
    for name in _BRANCH_OPTIONAL:
        value = getattr(record, name)
        if value:
            shown[name] = value
    if record.expires_at and record.expiry_set_at:
        lifetime = parse(record.expires_at) - parse(record.expiry_set_at)
        shown["ttl_interval_seconds"] = round(lifetime.total_seconds())
    if record.deleted_at:
        shown["recovery"] = {
            "deleted_at": record.deleted_at,
            "recoverable_until": recoverable_until(record.deleted_at),
            "deletion_method": record.deleted_by,
        }
    return shown


def endpoint(record: Endpoint) -> Json:
    """Return an endpoint; its ``host`` is a loopback address, or a name of one."""
    shown: Json = {
        "host": record.host,
        "id": record.id,
        "project_id": record.project_id,
        "branch_id": record.branch_id,
        "autoscaling_limit_min_cu": record.autoscaling_limit_min_cu,
        "autoscaling_limit_max_cu": record.autoscaling_limit_max_cu,
        "region_id": record.region_id,
        "type": record.type,
        "current_state": record.current_state,
        "settings": record.settings,
        "pooler_enabled": record.pooler_enabled,
        "pooler_mode": record.pooler_mode,
        "disabled": record.disabled,
        "passwordless_access": record.passwordless_access,
        "creation_source": "console",
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        # An address has none, so what it would be on Neon.
        "proxy_host": record.host.partition(".")[2]
        if record.address
        else domain_of(record.region_id),
        "suspend_timeout_seconds": record.suspend_timeout_seconds,
        "provisioner": record.provisioner,
    }
    for name in ("pending_state", "name", "started_at", "suspended_at", "last_active"):
        value = getattr(record, name)
        if value:
            shown[name] = value
    return shown


def role(record: Role, *, password: bool = False) -> Json:
    """Return a role; with ``password`` only where Neon gives it (just made, or just reset)."""
    shown: Json = {
        "branch_id": record.branch_id,
        "name": record.name,
        "protected": False,
        "authentication_method": "no_login" if record.no_login else "password",
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
    if password and record.password is not None:
        shown["password"] = record.password
    return shown


def database(record: Database) -> Json:
    """Return a database."""
    return {
        "id": record.id,
        "branch_id": record.branch_id,
        "name": record.name,
        "owner_name": record.owner_name,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }


def operation(record: Operation) -> Json:
    """Return an operation."""
    shown: Json = {
        "id": record.id,
        "project_id": record.project_id,
        "action": record.action,
        "status": record.status,
        "failures_count": record.failures_count,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "total_duration_ms": record.total_duration_ms,
    }
    for name in ("branch_id", "endpoint_id", "error"):
        value = getattr(record, name)
        if value:
            shown[name] = value
    return shown


def operations(records: Sequence[Operation]) -> list[Json]:
    """Return operations in the order of their run."""
    return [operation(record) for record in records]


def connection_uri(role_name: str, password: str, host: str, database_name: str) -> str:
    """Return a connection string."""
    return (
        f"postgresql://{quote(role_name, safe='')}:{quote(password, safe='')}@{host}/"
        f"{quote(database_name, safe='')}?sslmode=require&channel_binding=require"
    )


def connection_details(record: Endpoint, of_role: Role, of_database: Database) -> Json:
    """Return the connection string and its parts, with the pooled host."""
    password = of_role.password or ""
    return {
        "connection_uri": connection_uri(of_role.name, password, record.host, of_database.name),
        "connection_parameters": {
            "database": of_database.name,
            "password": password,
            "role": of_role.name,
            "host": record.host,
            "pooler_host": record.pooler_host,
        },
    }
