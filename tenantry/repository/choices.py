"""What is decided about a repository before its files are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from tenantry.errors import shown
from tenantry.repository.errors import RepositoryError

if TYPE_CHECKING:
    from pathlib import Path

Cloud: TypeAlias = Literal["local", "neon"]
Service: TypeAlias = Literal["github", "other", "none"]
CLOUDS: Final = get_args(Cloud)
SERVICES: Final = get_args(Service)

LOCAL_STACK: Final = "dev"
"""The one stack of a local run."""
FLEET: Final = "fleet"
"""The name in the file of the settings that all stacks of a fleet share."""
_STACK: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_BACKENDS: Final = frozenset({"file", "s3", "gs", "azblob", "postgres", "https"})


@dataclass(frozen=True)
class Choices:
    """The choices, which agree with each other."""

    namespace: str
    app: str
    """`tenant/app`."""
    region: str
    environment: str
    cloud: Cloud = "local"
    fleet: bool = False
    """A stack for each app, instead of one stack."""
    stack: str = LOCAL_STACK
    backend: str = ""
    """The URL of the states; empty where the shell is to name it. A local run has its own."""
    service: Service = "none"

    def __post_init__(self) -> None:
        """Check them.

        :raises RepositoryError: with a line for each that is not allowed
        """
        if problems := [*self._problems()]:
            raise RepositoryError("\n".join(problems))

    def _problems(self) -> list[str]:
        from tenantry.registry.names import LABEL

        url = urlsplit(self.backend)
        checks = {
            f"--cloud: {shown(self.cloud)} is none of {', '.join(CLOUDS)}": self.cloud
            not in CLOUDS,
            f"--ci: {shown(self.service)} is none of {', '.join(SERVICES)}": self.service
            not in SERVICES,
            f"--namespace: {shown(self.namespace)}: write lower-case letters, digits and single hyphens, a letter first": not (
                LABEL.fullmatch(self.namespace)
            ),
            f"--stack: {shown(self.stack)}: write letters, digits, `_`, `-` and `.`, at most 100": not (
                _STACK.fullmatch(self.stack)
            ),
            f"--stack: a run on the local cloud has the stack {LOCAL_STACK}: leave it out": (
                self.cloud == "local" and self.stack != LOCAL_STACK
            ),
            f"--backend: {shown(url.scheme or self.backend)} is none: write a URL that begins with "
            f"{', '.join(f'{each}://' for each in sorted(_BACKENDS))}": bool(self.backend)
            and url.scheme not in _BACKENDS,
            "--backend: a run on the local cloud keeps its state in .tenantry/state: leave it out": (
                self.cloud == "local" and bool(self.backend)
            ),
            "--backend: a URL with a password does not belong into a file: leave it out, and set PULUMI_BACKEND_URL": (
                bool(url.password)
            ),
            "--ci: the steps of a CI service are for one stack, and a fleet is planned and applied by tenantry fleet: "
            "--ci none": self.fleet and self.service != "none",
        }
        return [text for text, wrong in checks.items() if wrong]

    @property
    def settings(self) -> str:
        """The name of the stack's file of settings."""
        return f"Pulumi.{FLEET if self.fleet else self.stack}.yaml"


def default_namespace(folder: Path) -> str:
    """Return the folder's name as far as it can be a name in clouds, else `tenantry`."""
    from tenantry.registry.names import LABEL

    words = re.findall(r"[a-z0-9]+", folder.absolute().name.lower())
    name = "-".join(words)[:40].strip("-")
    return name if LABEL.fullmatch(name) else "tenantry"
