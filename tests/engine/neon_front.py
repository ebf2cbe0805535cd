"""A front of the local Neon API that loses answers, holds them back or changes them as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

_PASSED = ("authorization", "content-type", "accept")

Change = Callable[[dict[str, Any]], None]
"""Changes the JSON of an answer in place."""


@dataclass
class Fault:
    """What happens to one request."""

    route: str
    """As `POST /projects/*/branches`; `*` stands for anything."""
    drop: bool = False
    status: int = 0
    after: bool = True
    """Whether the work is done nevertheless."""
    change: Change | None = None
    once: bool = True
    arrived: threading.Event = field(default_factory=threading.Event)
    go: threading.Event | None = None
    """The answer is held back until it is set."""


@dataclass
class Front:
    """What is asked, and what is done to the next answers."""

    origin: str
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """Each request as `POST /projects`."""
    faults: list[Fault] = field(default_factory=list)

    def count(self, route: str) -> int:
        """Return how often it was asked."""
        return sum(fnmatchcase(each, route) for each in self.asked)

    def order(self, fault: Fault) -> Fault:
        """Have a fault happen."""
        self.faults.append(fault)
        return fault

    def next(self, request: str) -> Fault | None:
        """Take the fault that meets this request."""
        for fault in self.faults:
            if fnmatchcase(request, fault.route):
                if fault.once:
                    self.faults.remove(fault)
                return fault
        return None


@contextmanager
def neon_front(api_url: str) -> Iterator[Front]:
    """Stand in front of a Neon API for the length of a block."""
    front = Front(api_url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"front": front}))
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


class _Handler(BaseHTTPRequestHandler):
    front: Front

    def answer(self) -> None:
        request = f"{self.command} {urlsplit(self.path).path}"
        self.front.asked.append(request)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = self.front.next(request)
        answer = self.passed_on(body) if fault is None or fault.after else None
        if fault is None:
            assert answer is not None
            self.reply(answer.status_code, answer.content)
        else:
            self.suffer(fault, answer)

    def passed_on(self, body: bytes) -> httpx.Response:
        headers = {name: self.headers[name] for name in _PASSED if name in self.headers}
        return httpx.request(
            self.command, self.front.origin + self.path, content=body, headers=headers, timeout=60
        )

    def suffer(self, fault: Fault, answer: httpx.Response | None) -> None:
        fault.arrived.set()
        if fault.go is not None:
            fault.go.wait(60)
        if fault.drop:
            self.close_connection = True
        elif fault.status:
            self.reply(fault.status, b'{"code": "", "message": "as ordered"}')
        elif answer is not None:
            self.reply(answer.status_code, _changed(answer.content, fault.change))

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 as http.server calls them

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:
            self.close_connection = True

    def log_message(self, *_words: object) -> None:
        pass


def _changed(content: bytes, change: Change | None) -> bytes:
    if change is None:
        return content
    document = json.loads(content)
    change(document)
    return json.dumps(document).encode()
