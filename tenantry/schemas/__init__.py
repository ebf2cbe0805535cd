"""The tables of the apps: templates and operators' own histories, planned without Alembic, applied with it.

`templates` lists what comes with Tenantry, `history` reads a chain of revisions as text, `layout` finds the parts of an
operator's folder, and `planning` turns an app's `schema` into what is to be applied. `migrating` applies it to a database and
`structure` describes what is there; only `running` imports Alembic and SQLAlchemy, and only where there is something to run.
"""
