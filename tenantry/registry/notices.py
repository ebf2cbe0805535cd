"""Who is told what, as the program uses it: `notify` of the registry.

No secret is in it: `…_from` is the name of the environment variable that holds one.
"""

from typing import Final, Literal, TypeAlias, get_args

from tenantry.registry.frozen import Frozen

Occasion: TypeAlias = Literal[
    "ready", "failed", "deleted", "drift", "key_expires", "retried", "budget"
]
OCCASIONS: Final[tuple[Occasion, ...]] = get_args(Occasion)


class Receiver(Frozen):
    """Somebody who is told."""

    on: tuple[Occasion, ...] = OCCASIONS
    """Of what: by default of everything."""


class Webhook(Receiver):
    """A URL that gets a signed JSON document (Standard Webhooks)."""

    url: str
    """https, or http on this machine. Without user or password."""
    secret_from: str
    """The variable with the secret that signs (`whsec_…`)."""


class Slack(Receiver):
    """A channel that takes Slack's JSON."""

    slack_from: str
    """The variable with the channel's URL, which is a secret itself."""


class Mail(Receiver):
    """Addresses that get mail, by SMTP."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str | None = None
    """None: nobody logs in."""
    password_from: str | None = None
    """The variable with the user's password; None without a user."""


Notify: TypeAlias = Webhook | Slack | Mail
