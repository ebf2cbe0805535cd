"""The tables of the apps: templates and operators' own histories, planned without Alembic, applied with it.

`templates` lists what comes with Tenantry. `history` reads a chain of revisions as text, and `layout` finds the parts
of an operator's folder. `planning` turns an app's `schema` into what is to be applied. `migrating` applies it to a
database, and `structure` describes what is there. Only `running` imports Alembic and SQLAlchemy, and it is imported
only when there is something to run.
"""
