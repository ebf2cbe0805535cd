"""A front of the local Aura API that breaks answers as it is told, and remembers what was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx

DROP = "the request arrives, and its answer is cut off"
_PASSED = ("authorization", "content-type", "accept")


@dataclass
class Front:
    """What is asked, and what is done to the next answers."""

    origin: str
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """Each request as `POST /v1/instances`."""
    faults: dict[str, list[int | str]] = field(default_factory=dict)
    """By request: statuses that are answered without passing it on (429), or after it (500), or `DROP`."""
    hold: dict[str, float] = field(default_factory=dict)
    """By request: seconds for which its answer is held back."""

    def env(self) -> dict[str, str]:
        """Return the variables that lead a program here."""
        return {"AURA_BASE_URL": f"{self.url}/v1", "AURA_TOKEN_URL": f"{self.url}/oauth/token"}

    def count(self, request: str) -> int:
        """Return how often it was asked."""
        return self.asked.count(request)


@contextmanager
def aura_front(base_url: str) -> Iterator[Front]:
    """Stand in front of an Aura API for the length of a block."""
    parts = urlsplit(base_url)
    front = Front(f"{parts.scheme}://{parts.netloc}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(front))
    server.daemon_threads = True
    front.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            request = f"{self.command} {urlsplit(self.path).path}"
            front.asked.append(request)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            faults = front.faults.get(request) or []
            fault = faults.pop(0) if faults else None
            if fault in {401, 403, 429}:
                self.reply(int(fault), b'{"error": "as ordered"}', {"Retry-After": "1"})
                return
            headers = {name: self.headers[name] for name in _PASSED if name in self.headers}
            answer = httpx.request(
                self.command, front.origin + self.path, content=body, headers=headers, timeout=30
            )
            time.sleep(front.hold.get(request, 0))
            if fault == DROP:
                self.close_connection = True
            elif fault:
                self.reply(int(fault), b'{"error": "as ordered"}', {})
            else:
                self.reply(answer.status_code, answer.content, dict(answer.headers))

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 as http.server calls them

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() in {"content-type", "retry-after", "x-request-id"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    return Handler
