"""Why the engine cannot run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class EngineError(TenantryError):
    """The engine cannot be started, or did not answer. One line, with the way out."""


class StackError(EngineError):
    """`pulumi` did not answer. The message says why in our words, or it is the last line of its own."""


class BackendAwayError(StackError):
    """The backend of the states does not answer."""

    may_pass = True


class UnreadableStateError(StackError):
    """The engine could not read a state. Which one, and whether it was cut off, the backend tells."""

    def __init__(self, reason: str, environment: Mapping[str, str], folder: Path) -> None:
        """Note where that was.

        :param environment: the variables that `pulumi` ran with
        :param folder: the folder of `Pulumi.yaml`
        """
        super().__init__(reason)
        self.environment = environment
        self.folder = folder
