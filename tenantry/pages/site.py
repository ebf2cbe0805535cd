"""What the views of one page share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tenantry.fleet.project import Project
    from tenantry.pages.looks import Looks
    from tenantry.pages.sessions import Sessions
    from tenantry.pages.signing_in import SignIn
    from tenantry.pages.snapshots import Snapshots


@dataclass(frozen=True, kw_only=True)
class Site:
    """An application keeps it as `app.state.site`."""

    service: FastAPI
    """The service, whose parts the views use."""
    project: Project
    """Where the states of the apps are."""
    sessions: Sessions
    sign_in: SignIn
    snapshots: Snapshots
    looks: Looks
