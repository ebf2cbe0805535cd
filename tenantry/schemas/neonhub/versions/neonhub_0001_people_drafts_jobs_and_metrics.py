"""People and their sessions, content drafts, agent jobs and metric events."""

from alembic import op

revision = "neonhub_0001"
down_revision = "base_0001"

TABLES = (
    """
    CREATE TABLE users (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        email text NOT NULL CHECK (email LIKE '%_@_%'),
        email_verified_at timestamptz,
        name text,
        image text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # Addresses differ in more than case: User@x and user@x are one person.
    "CREATE UNIQUE INDEX users_email ON users (lower(email))",
    """
    CREATE TABLE accounts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        provider text NOT NULL,
        provider_account_id text NOT NULL,
        type text NOT NULL CHECK (type IN ('oauth', 'oidc', 'email', 'credentials')),
        access_token text,
        refresh_token text,
        id_token text,
        token_type text,
        scope text,
        expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (provider, provider_account_id)
    )
    """,
    "CREATE INDEX accounts_user_id ON accounts (user_id)",
    """
    CREATE TABLE sessions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        session_token text NOT NULL UNIQUE,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX sessions_user_id ON sessions (user_id)",
    "CREATE INDEX sessions_expires_at ON sessions (expires_at)",
    """
    CREATE TABLE verification_tokens (
        identifier text NOT NULL,
        token text NOT NULL UNIQUE,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (identifier, token)
    )
    """,
    "CREATE INDEX verification_tokens_expires_at ON verification_tokens (expires_at)",
    """
    CREATE TABLE content_drafts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        author_id uuid REFERENCES users ON DELETE SET NULL,
        title text NOT NULL,
        body text NOT NULL DEFAULT '',
        status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'review', 'published', 'archived')),
        metadata jsonb NOT NULL DEFAULT '{}',
        published_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK (status <> 'published' OR published_at IS NOT NULL)
    )
    """,
    "CREATE INDEX content_drafts_author_id ON content_drafts (author_id)",
    "CREATE INDEX content_drafts_status_updated_at ON content_drafts (status, updated_at DESC)",
    "CREATE INDEX content_drafts_title_trgm ON content_drafts USING gin (title gin_trgm_ops)",
    "CREATE INDEX content_drafts_body_trgm ON content_drafts USING gin (body gin_trgm_ops)",
    """
    CREATE TABLE agent_jobs (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        draft_id uuid REFERENCES content_drafts ON DELETE SET NULL,
        requested_by uuid REFERENCES users ON DELETE SET NULL,
        kind text NOT NULL,
        status text NOT NULL DEFAULT 'queued'
            CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        input jsonb NOT NULL DEFAULT '{}',
        output jsonb,
        error text,
        attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        run_after timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK (finished_at IS NULL OR status IN ('succeeded', 'failed', 'cancelled'))
    )
    """,
    # What a worker asks: the next job that is due.
    "CREATE INDEX agent_jobs_queue ON agent_jobs (run_after) WHERE status = 'queued'",
    "CREATE INDEX agent_jobs_status_created_at ON agent_jobs (status, created_at DESC)",
    "CREATE INDEX agent_jobs_draft_id ON agent_jobs (draft_id)",
    "CREATE INDEX agent_jobs_requested_by ON agent_jobs (requested_by)",
    """
    CREATE TABLE metric_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        draft_id uuid REFERENCES content_drafts ON DELETE CASCADE,
        name text NOT NULL,
        value double precision NOT NULL DEFAULT 1,
        attributes jsonb NOT NULL DEFAULT '{}',
        at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX metric_events_name_at ON metric_events (name, at DESC)",
    "CREATE INDEX metric_events_draft_id_at ON metric_events (draft_id, at DESC)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "metric_events",
        "agent_jobs",
        "content_drafts",
        "verification_tokens",
        "sessions",
        "accounts",
        "users",
    ):
        op.execute(f"DROP TABLE {table}")
