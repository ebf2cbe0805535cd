"""The page on a real catalog, behind a real socket, and visitors who are signed in."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from starlette.responses import Response

from tenantry.fleet.project import Project
from tenantry.pages.app import Page
from tenantry.pages.signing_in import Links, SignIn
from tenantry.service.tokens import SCOPES, Caller
from tests.service.api import Api, api

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tenantry.pages.provider import Provider
    from tenantry.service.settings import Settings
    from tenantry.service.tokens import Scope
    from tests.localcloud.catalog import Catalog


@dataclass
class Pages:
    """A service with its page."""

    api: Api
    page: Page
    links: Links
    printed: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.api.url

    def link(self) -> str:
        """Return the path of the last link that was printed."""
        split = urlsplit(self.printed[-1].removeprefix("page: "))
        return f"{split.path}?{split.query}"

    def stranger(self) -> httpx.Client:
        """Return a browser in which nobody is signed in."""
        return httpx.Client(base_url=self.url, timeout=30, verify=False)

    def visitor(self, *scopes: Scope, tenant: str | None = None) -> httpx.Client:
        """Return a browser in which somebody is signed in; with every scope where none is named."""
        caller = Caller(
            subject="vera",
            issuer="tests",
            tenant=tenant,
            scopes=frozenset(scopes or SCOPES),
            kind="token",
        )
        answer = Response()
        self.page.sessions.begin(answer, caller)
        name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
        client = self.stranger()
        client.cookies.set(name, value)
        return client


def token_in(html: str) -> str:
    """Return the form token of a page."""
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', html)
    assert found, html
    return found[1]


def until(client: httpx.Client, path: str, *texts: str, seconds: float = 60) -> str:
    """Look at a page until it has one of some texts."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        shown = client.get(path)
        assert shown.status_code == 200, shown.text
        if any(text in shown.text for text in texts):
            return shown.text
        time.sleep(0.2)
    raise AssertionError(f"{path} does not show {texts}: {shown.text}")


def send(client: httpx.Client, path: str, data: Mapping[str, str] | None = None) -> httpx.Response:
    """Send a form with the token of the page that shows it."""
    shown = client.get(path)
    assert shown.status_code == 200, shown.text
    return client.post(path, data={"form_token": token_in(shown.text), **(data or {})})


@contextmanager
def pages(
    catalog: Catalog,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    provider: Provider | None = None,
    **more: Any,
) -> Iterator[Pages]:
    """Serve API and page from a folder of its own, whose states are files."""
    made: list[Page] = []
    printed: list[str] = []
    variables = {"PULUMI_BACKEND_URL": (folder / "states").as_uri(), **(environment or {})}
    links = Links("http://127.0.0.1", "olga@host", printed.append)
    links.print_one()

    def addition(settings: Settings) -> Page:
        project = Project(folder, variables, folder / "Pulumi.fleet.yaml", Path("tenants.yaml"))
        made.append(Page(project, settings, SignIn(links=links, provider=provider)))
        return made[0]

    with api(catalog, folder, environment=variables, addition=addition, **more) as served:
        yield Pages(served, made[0], links, printed)
