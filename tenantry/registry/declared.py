"""An app as the registry declares it, as one text that is the same for the same app.

A stack keeps the text of what it applied last. So a later plan can say what changed in the registry's own words.
Values are those of `models`, in plain units. Lists whose order means nothing have none here: entries with a name become
a mapping by that name, and words are sorted.
"""

import json
from typing import Any

from tenantry.registry.models import App


def declared(app: App) -> str:
    """Return an app's text: compact JSON with sorted keys, without its place in the file. Nothing in it is secret."""
    facts = _by_meaning(app.model_dump(mode="json"))
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _by_meaning(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        return {key: _by_meaning(each) for key, each in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(each, dict) for each in value):
            return {
                each["name"]: {
                    key: _by_meaning(field) for key, field in each.items() if key != "name"
                }
                for each in value
            }
        return sorted(value)
    return value
