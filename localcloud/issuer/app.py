"""What the issuer serves: its key set. Tokens are made by ``localcloud token``, which reads the key itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from localcloud.asgi import HttpApi, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from localcloud.records import Json

KEY_SET = "/.well-known/jwks.json"


class IssuerError(Refusal):
    """An answer other than success: ``{"message"}``."""

    def document(self, _request_id: str) -> Json:
        """Return the body of the answer."""
        return {"message": str(self)}


class Issuer(HttpApi):
    """The issuer of a data folder. What it serves is public."""

    log = logging.getLogger("localcloud.issuer")

    def __init__(self, data: Path) -> None:
        self._data = data
        self._key_set: Json | None = None
        super().__init__([("GET", KEY_SET, self._keys)])

    def admit(self, _request: Request, _route: str) -> None:
        """Let everybody in."""

    def no_route(self) -> IssuerError:
        """Return the answer to a request that is none of these."""
        return IssuerError(404, f"the issuer serves {KEY_SET} alone")

    def failure(self, _error: Exception) -> IssuerError:
        """Return the answer to a request that failed inside."""
        return IssuerError(500, "internal error")

    async def _keys(self, _request: Request) -> Response:
        if self._key_set is None:
            # Imported here: a start does not wait for what most runs never ask for.
            from localcloud.issuer.keys import key_set, signing_key

            self._key_set = key_set(signing_key(self._data))
        return JSONResponse(self._key_set, headers={"Cache-Control": "max-age=600"})
