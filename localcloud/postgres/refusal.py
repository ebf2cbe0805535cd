"""How a connection is refused."""

from __future__ import annotations

REJECTED = "08004"
"""sqlserver_rejected_establishment_of_sqlconnection (PostgreSQL, appendix A)."""


class RefusedError(Exception):
    """A connection is refused; the message is for the client."""

    def __init__(self, message: str, sqlstate: str = REJECTED) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
