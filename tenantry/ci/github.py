"""GitHub's REST API: one comment on a pull request, one issue, and the plan that was reviewed.

Comments and issues are found again by their first line, and only among those of the given author. Nobody else's is
overwritten, even with the same line. Making one is tried again only after a look whether it was made.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import httpx
import tenacity

from tenantry.ci.errors import CiError
from tenantry.ci.texts import MARK, mark
from tenantry.retries import RetryPolicy
from tenantry.surroundings import direct_mounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_POLICY: Final = RetryPolicy(attempts=4, first_delay=2_000, factor=2.0, cap=60_000)
_TIMEOUT: Final = 30.0
_PAGE: Final = 100
_PLAN_BYTES: Final = 64 * 1024 * 1024
_NEXT: Final = "next"
_SERVER_ERRORS: Final = 500
_PERMISSIONS: Final = (
    (re.compile(r"/actions/"), "actions: read"),
    (re.compile(r"/commits/"), "pull-requests: read"),
    (re.compile(r"/issues/(\d+/)?comments"), "pull-requests: write"),
    (re.compile(r"/issues"), "issues: write"),
)
"""What a job needs for a route (GitHub REST API, "Permissions required for GitHub Apps")."""


_BY_HAND: Final = "run the workflow by hand, which plans anew and applies that after its approval"
_T = TypeVar("_T")


class _AgainError(Exception):
    """An answer that does not say whether anything was done, or that asks for patience."""

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


@dataclass(frozen=True)
class Written:
    """A comment or an issue."""

    url: str
    done: str
    """`made`, `updated`, `unchanged`, `closed`, or `none` where there was nothing to close."""


class GitHub:
    """One repository on GitHub.

    :param environment: `GITHUB_TOKEN`, `GITHUB_REPOSITORY`, and `GITHUB_API_URL` where it is not github.com's
    :param pause: waits so many seconds
    :raises CiError: a variable is missing
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        pause: Callable[[float], None] = tenacity.nap.sleep,
    ) -> None:
        missing = [
            name for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY") if not environment.get(name)
        ]
        if missing:
            raise CiError(f"{' and '.join(missing)} must be set: run this in a job on GitHub")
        self._repository = environment["GITHUB_REPOSITORY"]
        self._pause = pause
        self._client = httpx.Client(
            base_url=environment.get("GITHUB_API_URL") or "https://api.github.com",
            headers={
                "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=_TIMEOUT,
            mounts=direct_mounts(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def put_comment(self, number: int, body: str, author: str) -> Written:
        """Write a comment on a pull request, in place of the one that begins with the same line.

        :raises CiError: it has no mark; GitHub refuses, or does not answer
        """
        first = _first_line(body)[0]
        comments = f"/issues/{number}/comments"

        def put() -> Written:
            for each in self._pages(comments):
                if _is_ours(each, first, author):
                    if _same(each["body"], body):
                        return Written(each["html_url"], "unchanged")
                    path = f"/issues/comments/{each['id']}"
                    answer = self._ask("PATCH", path, json={"body": body})
                    return Written(answer["html_url"], "updated")
            return Written(self._ask("POST", comments, json={"body": body})["html_url"], "made")

        return self._patiently(put)

    def put_issue(self, title: str, body: str, author: str) -> Written:
        """Open the issue over a stack's drift or update the open one; close it where the text says that there is none.

        :raises CiError: as for `put_comment`
        """
        _, what, stack = _first_line(body)
        first = mark("drift", stack)

        def put() -> Written:
            opened = (
                each
                for each in self._pages("/issues", state="open")
                if "pull_request" not in each and _is_ours(each, first, author)
            )
            found = next(opened, None)
            if found is None:
                if what != "drift":
                    return Written("", "none")
                made = self._ask("POST", "/issues", json={"title": title, "body": body})
                return Written(made["html_url"], "made")
            path = f"/issues/{found['number']}"
            if what != "drift":
                self._ask("PATCH", path, json={"state": "closed", "state_reason": "completed"})
                return Written(found["html_url"], "closed")
            if _same(found["body"], body):
                return Written(found["html_url"], "unchanged")
            self._ask("PATCH", path, json={"body": body})
            return Written(found["html_url"], "updated")

        return self._patiently(put)

    def plan_of_run(self, run: str, name: str) -> bytes:
        """Return the plan that a run kept.

        :param name: the artifact's
        :raises CiError: it has none
        """
        return self._patiently(
            lambda: self._plan(f"/actions/runs/{run}/artifacts", f"run {run}", lambda _: True, name)
        )

    def reviewed_plan(self, commit: str, name: Callable[[str], str]) -> bytes:
        """Return the last plan of the pull request whose merge made a commit.

        :param name: gives the artifact's name for the last commit of a pull request
        :raises CiError: no pull request was merged as that commit, it has no plan, or it is from a fork
        """

        def find() -> bytes:
            merged = [
                each
                for each in self._pages(f"/commits/{commit}/pulls")
                if each.get("merged_at") and each.get("merge_commit_sha") == commit
            ]
            if not merged:
                raise CiError(
                    f"no pull request was merged as {commit}, so nobody has reviewed its plan: {_BY_HAND}"
                )
            head = merged[0]["head"]["sha"]

            def is_its_own(artifact: dict[str, Any]) -> bool:
                # The runs of a fork keep artifacts in this repository, too.
                run = artifact.get("workflow_run") or {}
                return (
                    run.get("head_sha") == head
                    and run.get("repository_id") is not None
                    and run.get("head_repository_id") == run["repository_id"]
                )

            what = f"pull request #{merged[0]['number']}"
            return self._plan("/actions/artifacts", what, is_its_own, name(head))

        return self._patiently(find)

    def _plan(
        self, path: str, what: str, wanted: Callable[[dict[str, Any]], bool], name: str
    ) -> bytes:
        found = [
            each
            for each in self._pages(path, key="artifacts", name=name)
            if each["name"] == name and not each["expired"] and wanted(each)
        ]
        if not found:
            raise CiError(f"{what} kept no plan {name}, or it expired: {_BY_HAND}")
        latest = max(found, key=lambda each: str(each["created_at"]))
        # Leads to a store of another host, which httpx does not give the token to.
        answer = self._send("GET", f"/actions/artifacts/{latest['id']}/zip", follow_redirects=True)
        try:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                (member,) = archive.infolist()
                if member.file_size > _PLAN_BYTES:
                    raise CiError(f"{name}: is larger than a plan can be: {_BY_HAND}")
                return archive.read(member)
        except (zipfile.BadZipFile, ValueError):
            raise CiError(f"{name}: is no archive of one plan: {_BY_HAND}") from None

    def _pages(self, path: str, *, key: str = "", **given: str) -> Iterator[dict[str, Any]]:
        url, parameters = path, {**given, "per_page": str(_PAGE)}
        while True:
            answer = self._send("GET", url, params=parameters)
            found = answer.json()
            yield from found[key] if key else found
            if _NEXT not in answer.links:
                return
            # The link has all parameters in it.
            url, parameters = answer.links[_NEXT]["url"], {}

    def _ask(self, method: str, path: str, *, json: dict[str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = self._send(method, path, json=json).json()
        return answer

    def _send(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401  # httpx's own
        url = path if path.startswith("http") else f"/repos/{self._repository}{path}"
        if not given.get("params"):
            given.pop("params", None)
        try:
            answer = self._client.request(method, url, **given)
        except httpx.HTTPError as error:
            raise _AgainError(f"{method} {path}: {error or type(error).__name__}") from None
        if answer.is_success:
            return answer
        text = f"{method} {path}: {answer.status_code} {_said(answer)}"
        if answer.status_code >= _SERVER_ERRORS or _is_a_limit(answer):
            raise _AgainError(text, _retry_after(answer))
        raise CiError(f"GitHub: {text}{_advice(answer.status_code, path)}")

    def _patiently(self, work: Callable[[], _T]) -> _T:
        # All of it is done again. It begins with a look, which finds what a request did whose answer was lost.
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_AgainError),
            stop=tenacity.stop_after_attempt(_POLICY.attempts),
            wait=_pause_before,
            sleep=self._pause,
            reraise=True,
        )
        try:
            return attempts(work)
        except _AgainError as error:
            raise CiError(
                f"GitHub: {error} ({_POLICY.attempts} attempts): run the job again"
            ) from None


def _pause_before(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, _AgainError) else None
    return _POLICY.delay(state.attempt_number) if asked is None else asked


def _first_line(body: str) -> tuple[str, str, str]:
    first = body.partition("\n")[0]
    found = MARK.fullmatch(first)
    if found is None:
        raise CiError("the text has no mark in its first line: use one that tenantry ci wrote")
    return first, found["what"], found["stack"]


def _is_ours(each: dict[str, Any], first: str, author: str) -> bool:
    body = each.get("body") or ""
    return bool(
        body.splitlines()[:1] == [first] and (each.get("user") or {}).get("login") == author
    )


def _same(there: str, ours: str) -> bool:
    # GitHub may keep a text with CRLF and without the last line's end.
    return "\n".join(there.splitlines()).strip() == ours.strip()


def _is_a_limit(answer: httpx.Response) -> bool:
    return answer.status_code == httpx.codes.TOO_MANY_REQUESTS or (
        answer.status_code == httpx.codes.FORBIDDEN
        and (
            "retry-after" in answer.headers
            or answer.headers.get("x-ratelimit-remaining") == "0"
            or "rate limit" in _said(answer)
        )
    )


def _retry_after(answer: httpx.Response) -> float | None:
    given = answer.headers.get("retry-after", "")
    return min(float(given), _POLICY.cap / 1000) if given.isdecimal() else None


def _said(answer: httpx.Response) -> str:
    try:
        message = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = answer.reason_phrase
    return " ".join(message.split())[:200]


def _advice(status: int, path: str) -> str:
    if status == httpx.codes.UNAUTHORIZED:
        return ": GITHUB_TOKEN is not valid"
    if status in {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}:
        needed = next((what for route, what in _PERMISSIONS if route.search(path)), None)
        return f": give the job the permission {needed}" if needed else ""
    return ""
