"""A server that keeps comments, issues, pull requests and artifacts as GitHub's REST API does, as far as it is needed.

Answers and limits are those of GitHub's REST API documentation, version 2022-11-28: pages of `per_page` with a `Link`
header, 401 without a token, 403 for what a token may not do, 422 for a body that is too long, an archive's 302 to
another host.
"""

import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

REPOSITORY = "acme/platform"
BOT = "github-actions[bot]"
TOKEN = "ghs_of-a-test"
LIMIT = 65_536


@dataclass
class GitHubServer:
    """What one repository has."""

    url: str = ""
    permissions: dict[str, str] = field(default_factory=dict)
    """Of the token, as a job's `permissions` says."""
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    archives: dict[int, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    orders: list[tuple[str, int, dict[str, str], bool]] = field(default_factory=list)
    """For the next requests of a method: status, headers, and whether it is carried out all the same."""
    tokens_elsewhere: list[str] = field(default_factory=list)
    """What the store of archives, which is another host, was given as a token."""

    def comment(self, number: int, body: str, login: str) -> dict[str, Any]:
        made = {
            "id": len(self.comments) + 1,
            "number": number,
            "body": body,
            "user": {"login": login},
            "html_url": f"{self.url}/{REPOSITORY}/pull/{number}#issuecomment-{len(self.comments) + 1}",
        }
        self.comments.append(made)
        return made

    def issue(self, title: str, body: str, login: str, **more: Any) -> dict[str, Any]:
        number = 1000 + len(self.issues)
        made = {
            "number": number,
            "title": title,
            "body": body,
            "state": "open",
            "user": {"login": login},
            "html_url": f"{self.url}/{REPOSITORY}/issues/{number}",
            **more,
        }
        self.issues.append(made)
        return made

    def keep(self, name: str, content: bytes, *, run: int, head: str, fork: bool = False) -> None:
        """Keep an artifact of a run, as actions/upload-artifact does."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("plan.json", content)
        number = len(self.artifacts) + 1
        self.archives[number] = packed.getvalue()
        self.artifacts.append(
            {
                "id": number,
                "name": name,
                "expired": False,
                "created_at": f"2026-11-22T12:{number:02}:00Z",
                "workflow_run": {
                    "id": run,
                    "head_sha": head,
                    "repository_id": 1,
                    "head_repository_id": 2 if fork else 1,
                },
            }
        )

    def of(self, number: int) -> list[str]:
        """The bodies of a pull request's comments."""
        return [each["body"] for each in self.comments if each["number"] == number]

    def answer(  # noqa: C901, PLR0911  # a case for each route
        self, method: str, path: str, query: dict[str, str], given: dict[str, Any]
    ) -> tuple[int, Any]:
        """Carry out one request below the repository."""
        if "body" in given:
            # As it keeps texts.
            given["body"] = given["body"].replace("\n", "\r\n").rstrip()
        match method, path.strip("/").split("/"):
            case "GET", ["issues", number, "comments"]:
                return 200, [each for each in self.comments if each["number"] == int(number)]
            case "POST", ["issues", number, "comments"]:
                return self._written(given, lambda: self.comment(int(number), given["body"], BOT))
            case "PATCH", ["issues", "comments", number]:
                comment = next(each for each in self.comments if each["id"] == int(number))
                return self._written(given, lambda: _updated(comment, given))
            case "GET", ["issues"]:
                return 200, [
                    each
                    for each in reversed(self.issues)
                    if each["state"] == query.get("state", "open")
                    and each["user"]["login"] == query.get("creator", each["user"]["login"])
                ]
            case "POST", ["issues"]:
                return self._written(given, lambda: self.issue(given["title"], given["body"], BOT))
            case "PATCH", ["issues", number]:
                issue = next(each for each in self.issues if each["number"] == int(number))
                issue.update(given)
                return 200, issue
            case "GET", ["commits", sha, "pulls"]:
                return 200, [
                    each
                    for each in self.pulls.values()
                    if sha in {each["merge_commit_sha"], each["head"]["sha"]}
                ]
            case "GET", ["actions", "artifacts"]:
                found = [each for each in self.artifacts if each["name"] == query["name"]]
                return 200, {"artifacts": found}
            case "GET", ["actions", "runs", run, "artifacts"]:
                found = [
                    each
                    for each in self.artifacts
                    if each["workflow_run"]["id"] == int(run) and each["name"] == query["name"]
                ]
                return 200, {"artifacts": found}
        return 404, {"message": "Not Found"}

    def _written(self, given: dict[str, Any], work: Any) -> tuple[int, Any]:
        if len(given["body"]) > LIMIT:
            return 422, {"message": "body is too long (maximum is 65536 characters)"}
        return 201, work()

    def forbids(self, method: str, path: str) -> bool:
        needed = "write" if method != "GET" else "read"
        if path.startswith("/actions"):
            allowed = [self.permissions.get("actions")]
        elif path.startswith("/commits"):
            allowed = [self.permissions.get("pull-requests")]
        elif "comments" in path:
            allowed = [self.permissions.get("pull-requests"), self.permissions.get("issues")]
        else:
            allowed = [self.permissions.get("issues")]
        return not any(each in {"write", needed} for each in allowed)


def _updated(there: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    there.update(given)
    return there


class _Handler(BaseHTTPRequestHandler):
    keeper: GitHubServer

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        given = json.loads(self.rfile.read(length)) if length else {}
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        keeper = self.keeper
        if found := re.fullmatch(r"/blob/(\d+)", parts.path):
            keeper.tokens_elsewhere.append(self.headers.get("Authorization", ""))
            self._send(200, keeper.archives[int(found[1])], {})
            return
        root = f"/api/repos/{REPOSITORY}"
        keeper.requests.append(f"{self.command} {parts.path.removeprefix(root)}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"message": "Bad credentials"}, {})
            return
        path = parts.path.removeprefix(root)
        if not parts.path.startswith(root):
            self._send(404, {"message": "Not Found"}, {})
            return
        ordered = next((each for each in keeper.orders if each[0] == self.command), None)
        if ordered:
            keeper.orders.remove(ordered)
            if ordered[3]:
                keeper.answer(self.command, path, query, given)
            self._send(ordered[1], {"message": "as ordered"}, ordered[2])
            return
        if keeper.forbids(self.command, path):
            self._send(403, {"message": "Resource not accessible by integration"}, {})
            return
        if found := re.fullmatch(r"/actions/artifacts/(\d+)/zip", path):
            # Another host by its name, as the store of GitHub's artifacts is.
            elsewhere = keeper.url.replace("127.0.0.1", "localhost").removesuffix("/api")
            self._send(302, {}, {"Location": f"{elsewhere}/blob/{found[1]}"})
            return
        status, answer = keeper.answer(self.command, path, query, given)
        headers = {}
        items = answer if isinstance(answer, list) else answer.get("artifacts")
        if self.command == "GET" and isinstance(items, list):
            size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
            shown = items[(page - 1) * size : page * size]
            if page * size < len(items):
                following = urlencode(query | {"page": page + 1})
                headers["Link"] = f'<{keeper.url}/repos/{REPOSITORY}{path}?{following}>; rel="next"'
            answer = shown if isinstance(answer, list) else {**answer, "artifacts": shown}
        self._send(status, answer, headers)

    def _send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815  # the base's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        pass


@contextmanager
def github_server() -> Iterator[GitHubServer]:
    """Serve an empty repository until the block ends."""
    keeper = GitHubServer()
    handler = type("Handler", (_Handler,), {"keeper": keeper})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        keeper.url = f"http://127.0.0.1:{server.server_port}/api"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield keeper
        finally:
            server.shutdown()
            thread.join()
