"""Settings and audit logs, and the view by which the app sees its schema's version."""

from alembic import op

revision = "base_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE settings (
            key text PRIMARY KEY CHECK (key <> ''),
            value jsonb NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute(
        """
        CREATE TABLE audit_logs (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            actor text NOT NULL,
            action text NOT NULL,
            subject text NOT NULL,
            detail jsonb NOT NULL DEFAULT '{}',
            at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    # Who did what, what happened to this, and what happened lately: newest first in each.
    op.execute("CREATE INDEX audit_logs_actor_at ON audit_logs (actor, at DESC)")
    op.execute("CREATE INDEX audit_logs_subject_at ON audit_logs (subject, at DESC)")
    op.execute("CREATE INDEX audit_logs_at ON audit_logs (at DESC)")
    # DISTINCT makes the view one that cannot be written through.
    op.execute(
        "CREATE VIEW schema_migrations AS SELECT DISTINCT version_num AS revision FROM alembic_version"
    )


def downgrade() -> None:
    op.execute("DROP VIEW schema_migrations")
    op.execute("DROP TABLE audit_logs")
    op.execute("DROP TABLE settings")
