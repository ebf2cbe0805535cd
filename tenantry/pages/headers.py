"""What browsers may do with the page: nothing comes from elsewhere, no script is in a page, nobody frames it.

From OWASP's "HTTP Security Response Headers Cheat Sheet" and the Content Security Policy, level 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types tenantry"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it a browser sends `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
_TLS: Final = {"Strict-Transport-Security": "max-age=31536000"}


class Protected:
    """Sends these headers with every answer; one that a route sets itself stays."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        """Stand before an application.

        :param secure: whether it is reached over TLS
        """
        self._app = app
        headers = _HEADERS | (_TLS if secure else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", [])
                names = {name.lower() for name, _ in own}
                message["headers"] = [
                    *own,
                    *(each for each in self._headers if each[0] not in names),
                ]
            await send(message)

        await self._app(scope, receive, sending)
