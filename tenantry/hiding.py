"""Secrets taken out of what others say, before it is repeated."""

import json
from urllib.parse import quote

HIDDEN = "…"


def hidden(text: str, *secrets: str) -> str:
    """Return a text with `…` in place of each secret, whether the text has it plain, escaped, or quoted for a URL."""
    for secret in filter(None, secrets):
        # The longest first: an escaped form may contain the plain one.
        forms = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
    return text
