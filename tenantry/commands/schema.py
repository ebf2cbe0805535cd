"""`tenantry schema`: the JSON Schemas of the registry, the plan and the drift."""

from typing import Annotated, Literal, TypeAlias

import typer

Document: TypeAlias = Literal["registry", "plan", "drift"]


def schema(
    document: Annotated[
        Document, typer.Argument(help="Of which document: registry, plan or drift.")
    ] = "registry",
    *,
    as_json: Annotated[  # noqa: ARG001 a schema is JSON in any case
        bool, typer.Option("--json", help="As without: a schema is JSON.")
    ] = False,
) -> None:
    """Print a JSON Schema: the registry's, for editors, or that of what plan or drift print with --json.

    tenantry schema plan

    Exit code: 0.

    JSON: the schema, by JSON Schema 2020-12.
    """
    if document == "registry":
        from tenantry.registry.schema import schema_text as registry_text

        print(registry_text(), end="")
    else:
        from tenantry.planning.schema import schema_text

        print(schema_text(document), end="")
