"""The Neon project that an app takes over in the place of a new one: `adopt`."""

from typing import Annotated

from pydantic import Field

from tenantry.clouds.neon import PROJECT_ID
from tenantry.errors import shown
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import RuleError, matching, text


def project_id(value: object) -> str:
    """Check the id of a Neon project."""
    word = text(value)
    if not PROJECT_ID.fullmatch(word):
        raise RuleError(
            f"{shown(word)} is not the id of a Neon project: write it as Neon shows it, such as flat-bread-90066822"
        )
    return word


class Adopt(Written):
    """An existing Neon project that becomes the app's, with its data."""

    project: Annotated[str, matching(project_id, f"^{PROJECT_ID.pattern}$")] = Field(
        description="The project's id in Neon."
    )
