"""A front of an HTTP API that repeats all that the request said: the worst that an API can do with a credential."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal
from urllib.parse import quote, urlsplit

import httpx

PASSED: Final = ("authorization", "content-type", "accept")
Form = Literal["error", "text", "truncated", "redirect"]


@dataclass
class Echo:
    """Which requests it answers itself."""

    origin: str
    url: str = ""
    orders: dict[str, tuple[int, Form]] = field(default_factory=dict)
    """By request, as `POST /v1/*`: the status of its answer, and what that looks like. The rest is passed on."""
    answered: list[str] = field(default_factory=list)

    def order(self, request: str, status: int, form: Form = "error") -> None:
        """Answer these requests from now on; others are passed on."""
        self.orders, self.answered = {request: (status, form)}, []


@contextmanager
def echoing(base_url: str) -> Iterator[Echo]:
    """Stand in front of an API for the length of a block."""
    parts = urlsplit(base_url)
    echo = Echo(f"{parts.scheme}://{parts.netloc}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(echo))
    server.daemon_threads = True
    echo.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield echo
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def told(authorization: str, body: bytes) -> str:
    """Repeat a request: the credentials as they came, and decoded, and the body."""
    scheme, _, credentials = authorization.partition(" ")
    words = [credentials, body.decode("utf-8", "replace")]
    if scheme == "Basic":
        words.insert(0, base64.b64decode(credentials).decode())
    return " ".join(filter(None, words))


def answer_of(form: Form, said: str, here: str) -> tuple[bytes, dict[str, str]]:
    """Make an answer's body and headers."""
    if form == "redirect":
        return b"", {"location": str(httpx.URL(f"{here}/{quote(said)}", params={"told": said}))}
    if form == "text":
        return said.encode(), {"content-type": "text/plain"}
    keys = ("message", "error", "error_description", "reason", "code")
    content = json.dumps(dict.fromkeys(keys, said) | {"errors": [{"message": said}]}).encode()
    return content[:-20] if form == "truncated" else content, {"content-type": "application/json"}


def _handler(echo: Echo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            request = f"{self.command} {urlsplit(self.path).path}"
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            for pattern, (status, form) in echo.orders.items():
                if fnmatchcase(request, pattern):
                    echo.answered.append(request)
                    said = told(self.headers.get("authorization", ""), body)
                    self.reply(status, *answer_of(form, said, echo.url))
                    return
            headers = {name: self.headers[name] for name in PASSED if name in self.headers}
            passed = httpx.request(
                self.command, echo.origin + self.path, content=body, headers=headers, timeout=30
            )
            self.reply(passed.status_code, passed.content, dict(passed.headers))

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer  # noqa: N815 as http.server calls them

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() in {"content-type", "retry-after", "location"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    return Handler
