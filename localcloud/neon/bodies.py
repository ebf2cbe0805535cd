"""Request bodies: what the API document asks for, and how it answers a body that is not so.

Each class is named for its schema in the document, which describes it.
"""

# ruff: noqa: D101 (the document is the description)

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field

from localcloud import body
from localcloud.body import Body
from localcloud.neon.errors import ApiError, bad_request

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from starlette.requests import Request

Cu = Annotated[float, Field(ge=0.25)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]
SqlName = Annotated[str, Field(min_length=1, max_length=63)]
"""A role's or database's name: PostgreSQL keeps 63 bytes (NAMEDATALEN)."""
Suspend = Annotated[int, Field(ge=-1, le=604_800)]
Retention = Annotated[int, Field(ge=0, le=2_592_000)]


class Quota(Body):
    active_time_seconds: Annotated[int, Field(ge=0)] | None = None
    compute_time_seconds: Annotated[int, Field(ge=0)] | None = None
    written_data_bytes: Annotated[int, Field(ge=0)] | None = None
    data_transfer_bytes: Annotated[int, Field(ge=0)] | None = None
    logical_size_bytes: Annotated[int, Field(ge=0)] | None = None


class AllowedIps(Body):
    ips: list[str] | None = None
    protected_branches_only: bool | None = None


class MaintenanceWindow(Body):
    weekdays: list[int]
    start_time: str
    end_time: str


class PreloadLibraries(Body):
    use_defaults: bool | None = None
    enabled_libraries: list[str] | None = None


class ProjectSettings(Body):
    quota: Quota | None = None
    allowed_ips: AllowedIps | None = None
    enable_logical_replication: bool | None = None
    maintenance_window: MaintenanceWindow | None = None
    block_public_connections: bool | None = None
    block_vpc_connections: bool | None = None
    audit_log_level: Literal["base", "extended", "full"] | None = None
    hipaa: bool | None = None
    preload_libraries: PreloadLibraries | None = None


class DefaultEndpointSettings(Body):
    pg_settings: dict[str, str] | None = None
    pgbouncer_settings: dict[str, str] | None = None
    autoscaling_limit_min_cu: Cu | None = None
    autoscaling_limit_max_cu: Cu | None = None
    suspend_timeout_seconds: Suspend | None = None


class ProjectBranch(Body):
    name: Name | None = None
    role_name: SqlName | None = None
    database_name: SqlName | None = None


class ProjectCreate(Body):
    settings: ProjectSettings | None = None
    name: Name | None = None
    branch: ProjectBranch | None = None
    autoscaling_limit_min_cu: Cu | None = None
    autoscaling_limit_max_cu: Cu | None = None
    provisioner: str | None = None
    region_id: str | None = None
    default_endpoint_settings: DefaultEndpointSettings | None = None
    pg_version: Annotated[int, Field(ge=14, le=18)] | None = None
    store_passwords: bool | None = None
    history_retention_seconds: Retention | None = None
    org_id: Identifier | None = None


class ProjectCreateRequest(Body):
    project: ProjectCreate


class ProjectUpdate(Body):
    settings: ProjectSettings | None = None
    name: Name | None = None
    default_endpoint_settings: DefaultEndpointSettings | None = None
    history_retention_seconds: Retention | None = None


class ProjectUpdateRequest(Body):
    project: ProjectUpdate


class EndpointSettings(Body):
    pg_settings: dict[str, str] | None = None
    pgbouncer_settings: dict[str, str] | None = None
    preload_libraries: PreloadLibraries | None = None


class BranchEndpoint(Body):
    type: Literal["read_only", "read_write"]
    settings: EndpointSettings | None = None
    autoscaling_limit_min_cu: Cu | None = None
    autoscaling_limit_max_cu: Cu | None = None
    provisioner: str | None = None
    suspend_timeout_seconds: Suspend | None = None


class BranchCreate(Body):
    parent_id: Identifier | None = None
    name: Name | None = None
    parent_lsn: str | None = None
    parent_timestamp: str | None = None
    protected: bool | None = None
    archived: bool | None = None
    init_source: Literal["parent-data", "schema-only"] | None = None
    expires_at: str | None = None


class BranchCreateRequest(Body):
    endpoints: list[BranchEndpoint] | None = None
    branch: BranchCreate | None = None


class MaskingRule(Body):
    database_name: SqlName
    schema_name: SqlName
    table_name: SqlName
    column_name: SqlName
    masking_function: str | None = None
    masking_value: str | None = None


class MaskingRulesUpdateRequest(Body):
    masking_rules: list[MaskingRule]


class BranchAnonymizedCreateRequest(Body):
    branch_create: BranchCreateRequest | None = None
    masking_rules: list[MaskingRule] | None = None
    start_anonymization: bool | None = None


class BranchUpdate(Body):
    name: Name | None = None
    protected: bool | None = None
    expires_at: str | None = None


class BranchUpdateRequest(Body):
    branch: BranchUpdate


class EndpointFields(Body):
    settings: EndpointSettings | None = None
    autoscaling_limit_min_cu: Cu | None = None
    autoscaling_limit_max_cu: Cu | None = None
    provisioner: str | None = None
    pooler_enabled: bool | None = None
    pooler_mode: Literal["transaction", ""] | None = None
    disabled: bool | None = None
    passwordless_access: bool | None = None
    suspend_timeout_seconds: Suspend | None = None
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class EndpointCreate(EndpointFields):
    branch_id: Identifier
    region_id: str | None = None
    type: Literal["read_only", "read_write"]


class EndpointCreateRequest(Body):
    endpoint: EndpointCreate


class EndpointUpdate(EndpointFields):
    branch_id: str | None = None


class EndpointUpdateRequest(Body):
    endpoint: EndpointUpdate


class RoleCreate(Body):
    name: SqlName
    no_login: bool | None = None


class RoleCreateRequest(Body):
    role: RoleCreate


class DatabaseCreate(Body):
    name: SqlName
    owner_name: SqlName


class DatabaseCreateRequest(Body):
    database: DatabaseCreate


class DatabaseUpdate(Body):
    name: SqlName | None = None
    owner_name: SqlName | None = None


class DatabaseUpdateRequest(Body):
    database: DatabaseUpdate


class ApiKeyCreateRequest(Body):
    key_name: Annotated[str, Field(min_length=1, max_length=64)]
    project_id: Identifier | None = None


class PermissionRequest(Body):
    email: Annotated[str, Field(min_length=3, max_length=256, pattern=r"^[^@\s]+@[^@\s]+$")]


class BucketCreate(Body):
    name: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/]+$")]
    access_level: Literal["private", "public_read"] | None = None


class Presign(Body):
    operation: Literal["upload", "download"]
    content_type: str | None = None
    expires_in_seconds: Annotated[int, Field(ge=1, le=604_800)] | None = None


class BranchRestoreRequest(Body):
    source_branch_id: Identifier
    source_lsn: str | None = None
    source_timestamp: str | None = None
    preserve_under_name: Annotated[str, Field(max_length=256)] | None = None


class FinalizeRestoreRequest(Body):
    name: Name | None = None


class SnapshotRestoreRequest(Body):
    name: Name | None = None
    target_branch_id: Identifier | None = None
    finalize_restore: bool | None = None


class SnapshotUpdate(Body):
    name: Name | None = None


class SnapshotUpdateRequest(Body):
    snapshot: SnapshotUpdate


class ScheduleItem(Body):
    frequency: Literal["hourly", "daily", "weekly", "monthly", "yearly"]
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    day: Annotated[int, Field(ge=1, le=31)] | None = None
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    retention_seconds: Annotated[int, Field(ge=3600)] | None = None


class ScheduleRequest(Body):
    schedule: list[ScheduleItem]


Email = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^@\s]+@[^@\s]+$")]
MemberRole = Literal["admin", "member", "editor", "viewer", "collaborator"]


class Invitee(Body):
    email: Email
    role: MemberRole


class InvitationsRequest(Body):
    invitations: Annotated[list[Invitee], Field(min_length=1)]


class MemberUpdate(Body):
    role: MemberRole


class SpendingLimitRequest(Body):
    spending_limit_cents: Annotated[int, Field(ge=1, lt=2**63)]


class VpcLabel(Body):
    label: str


class TransferProjects(Body):
    destination_org_id: Identifier
    project_ids: Annotated[list[Identifier], Field(min_length=1, max_length=400)]


class TransferRequestCreate(Body):
    ttl_seconds: Annotated[int, Field(ge=1, lt=2**31)] | None = None


class TransferRequestAccept(Body):
    org_id: Identifier | None = None


class JwksCreate(Body):
    # Neon looks whether there is a key set. A host alone never is one, and further the local cloud does not ask.
    jwks_url: Annotated[str, Field(pattern=r"^https://[^\s/]+/\S+$")]
    provider_name: str
    branch_id: Identifier | None = None
    jwt_audience: str | None = None
    role_names: Annotated[list[SqlName], Field(max_length=10)] | None = None
    skip_role_creation: bool | None = None


B = TypeVar("B", bound=Body)


async def read(request: Request, model: type[B], *, optional: bool = False) -> B:
    """Read and check a request's body. ``optional``: an empty one counts as ``{}``.

    Raises ApiError 400; the message names the place but never repeats a value.
    """
    return await body.read(request, model, _refusal, optional=optional)


def _refusal(errors: list[ErrorDetails]) -> ApiError:
    first = errors[0]
    if first["type"] == "json_invalid":
        return bad_request("request body has an error: failed to decode request body")
    place = "/" + "/".join(str(part) for part in first["loc"])
    message = first["msg"][:1].lower() + first["msg"][1:]
    return bad_request(
        f'request body has an error: doesn\'t match the schema: Error at "{place}": {message}'
    )
