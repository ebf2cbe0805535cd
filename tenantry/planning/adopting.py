"""What an app changes about the Neon project that it takes over, in the registry's words."""

from __future__ import annotations

import json

from tenantry.planning.fields import differences


def adoption_lines(facts: str, declared: str, name: str) -> tuple[str, ...]:
    """Say what is taken over, what changes about it and what stays, a line for each thing.

    :param facts: the project as it was found, as `tenantry.neon.adopting.Existing.facts` gives it
    :param declared: the app as the registry says it, as `tenantry.registry.declared` gives it
    :param name: the name that the project gets
    """
    found, wanted = json.loads(facts), json.loads(declared)
    before = found["settings"]
    # Of what the registry says nothing the project keeps what it has.
    said = {
        key: value
        for key, value in before["database"].items()
        if wanted["database"].get(key) is not None
    }
    renamed = f", renamed from {found['name']} to {name}" if found["name"] != name else ""
    stays = f"its databases ({', '.join(found['databases'])}), roles and data stay"
    return (
        f"takes over project {found['project']}{renamed}: {stays}, and the app's own are made beside them",
        *(
            f"of the project: {change.text}"
            for change in differences({**before, "database": said}, wanted)
        ),
    )
