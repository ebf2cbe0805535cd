"""Plans that the renderers' tests share."""

from tenantry.planning.plan import (
    Counts,
    FieldChange,
    Plan,
    PropertyChange,
    Refusal,
    ResourceChange,
    Row,
)

MIXED = Plan(
    summary=Counts(create=1, update=1, replace=1, delete=1, unchanged=7),
    rows=(
        Row(
            stack="dev",
            app="acme/old",
            action="delete",
            resources=Counts(delete=15),
            destroys=("project acme/old and all data in it",),
            notes=("acme/old leaves with 'deletion: delete'",),
        ),
        Row(
            stack="dev",
            app="acme/web",
            action="replace",
            resources=Counts(update=1, replace=18, unchanged=3),
            destroys=("project acme/web and all data in it",),
            changes=(
                FieldChange(field="region", old="a", new="b", effect="which replaces the project"),
            ),
        ),
        Row(
            stack="dev",
            app="globex/lab",
            action="update",
            resources=Counts(create=1, update=2, unchanged=20),
            changes=(
                FieldChange(field="database.branches.qa", old=None, new="{}"),
                FieldChange(field="database.compute.max_cu", old="1", new="2"),
                FieldChange(field="services.auth", old="{}", new=None),
            ),
            others=(
                ResourceChange(
                    operation="update",
                    kind="role",
                    name="globex/lab/a",
                    properties=(
                        PropertyChange(name="statementTimeout", old="5", new="30000"),
                        PropertyChange(name="password", old='"[secret]"', new='"[secret]"'),
                    ),
                ),
            ),
        ),
        Row(
            stack="dev",
            app="globex/new",
            action="create",
            resources=Counts(create=22),
            changes=(FieldChange(field="region", old=None, new="aws-us-east-2"),),
        ),
        Row(
            stack="dev",
            app=None,
            action="update",
            resources=Counts(update=1),
        ),
    ),
    warnings=("no catalog is configured",),
)
QUIET = Plan(summary=Counts(unchanged=1), rows=())
REFUSED = Plan(
    summary=Counts(),
    rows=(),
    refusals=(
        Refusal(stack="dev", app="acme/web", text="tenants.yaml: acme/web is gone: put it back"),
        Refusal(stack="dev", app=None, text="tenants.yaml: 2 apps would leave: name them"),
    ),
)
