"""What somebody is told, and its forms: a signed document, a line in a channel, a mail."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

    from tenantry.registry.notices import Occasion

_WORDS: Final[dict[Occasion, str]] = {
    "ready": "is ready",
    "failed": "failed",
    "deleted": "is deleted",
    "drift": "has drifted",
    "key_expires": "has an API key that expires",
    "retried": "is tried again",
    "budget": "is near its budget, or over it",
}
MOST_CHARACTERS: Final = 2000
"""Of the text: a channel takes no more than that in one message."""


@dataclass(frozen=True, slots=True)
class Notification:
    """Something that somebody is told of an app. No secret is in it: it goes to channels and mailboxes.

    The same five values make the same message, also from another process after a crash: a receiver knows it by its
    `identity`.
    """

    kind: Occasion
    app: str
    """`tenant/app`; of the budget of a tenant, the tenant."""
    text: str
    """What happened and, where it went wrong, what to do. Longer ones are cut, and control characters left out."""
    at: datetime
    """When it happened, with its zone."""
    operation: str | None = None
    """The operation that it is about, if any."""

    @property
    def identity(self) -> str:
        """Name the message: `msg_` and 32 hex digits."""
        parts = (self.kind, self.app, self.operation or "", self.at.isoformat(), self.text)
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"msg_{digest[:32]}"

    @property
    def title(self) -> str:
        """Say it in one short line."""
        return f"{self.app} {_WORDS[self.kind]}"

    def document(self) -> dict[str, Any]:
        """Return the JSON form: `type`, `timestamp` and `data`, as the Standard Webhooks propose."""
        return {
            "type": f"app.{self.kind}",
            "timestamp": self.at.isoformat(),
            "data": {"app": self.app, "text": self.shown, "operation": self.operation},
        }

    def slack(self) -> dict[str, str]:
        """Return Slack's form: nothing in it is taken for a link, a mention or a channel."""
        # https://docs.slack.dev/messaging/formatting-message-text: these three have a meaning.
        safe = self.shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": f"*{self.title}*\n{safe}" if safe else f"*{self.title}*"}

    @property
    def shown(self) -> str:
        """The text, cut, and on lines of visible characters."""
        cut = self.text[:MOST_CHARACTERS] + ("…" if len(self.text) > MOST_CHARACTERS else "")
        # Colours of a terminal first: what is left of one would be read as text.
        plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", cut)
        lines = ("".join(c for c in line if c.isprintable()) for line in plain.splitlines())
        return "\n".join(lines).strip()
