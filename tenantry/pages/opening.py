"""The page of a process, with the ways in that its settings allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.pages.app import Page
from tenantry.pages.provider import Provider
from tenantry.pages.signing_in import Links, SignIn
from tenantry.running.actor import actor_of
from tenantry.running.local import is_local
from tenantry.service.settings import LOCAL_ISSUER
from tenantry.urls import on_this_machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.fleet.project import Project
    from tenantry.service.settings import Settings


def page_of(project: Project, settings: Settings, url: str, *, tell: Callable[[str], None]) -> Page:
    """Return the page. For a local run that is reached from this machine alone, a link that signs in is printed.

    :param url: where the process is reached from this machine
    :param tell: prints a line
    :raises SessionKeyError: the key of the cookies is too short
    """
    links = None
    local = is_local(project.folder) or LOCAL_ISSUER in project.environment
    if local and on_this_machine(settings.host):
        links = Links(url, actor_of(project.environment), tell)
    provider = Provider(settings.sign_in, settings.issuers) if settings.sign_in else None
    page = Page(project, settings, SignIn(links=links, provider=provider))
    if links is not None:
        links.print_one()
    return page
