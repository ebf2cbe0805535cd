"""Secrets of apps, read from their stacks when somebody may see them: they are kept nowhere else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tenantry.errors import TenantryError
from tenantry.registry.names import own_stack
from tenantry.running.stack import outputs
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RETRY_SECONDS = 5
READ_SECONDS = 60.0
"""After so long a caller is told to ask again."""


class Outputs:
    """What the stacks of apps say; each read is a process, beside the event loop."""

    def __init__(self, folder: Path, environment: Mapping[str, str], at_once: int) -> None:
        """Read nothing yet.

        :param folder: of `Pulumi.yaml`
        :param environment: backend, passphrase
        :param at_once: how many reads are under way together
        """
        self._folder = folder
        self._environment = environment
        self._free = asyncio.Semaphore(at_once)

    async def urls(self, app_id: str) -> Mapping[str, str]:
        """Return `direct` and `pooled`; errors as for `_read`."""
        urls: Mapping[str, str] = (await self._read(app_id, "urls"))[app_id]
        return urls

    async def key(self, app_id: str, name: str, generation: int) -> str | None:
        """Return an API key; None where the stack does not have it (yet)."""
        keys = (await self._read(app_id, "apiKeys")).get(app_id) or {}
        value: str | None = keys.get(name, {}).get(str(generation))
        return value

    async def _read(self, app_id: str, name: str) -> Mapping[str, Any]:
        """Read one output of an app's stack.

        :raises ProblemError: 503: the backend does not answer, or too many are reading
        """
        environment = {**self._environment, "PULUMI_STACK": own_stack(app_id)}
        try:
            async with asyncio.timeout(READ_SECONDS), self._free:
                found = await asyncio.to_thread(
                    outputs, environment, secrets=True, folder=self._folder
                )
            part: Mapping[str, Any] = found[name]
        except TimeoutError:
            raise self._away("it takes too long") from None
        except TenantryError as error:
            raise self._away(error.reason) from None
        except KeyError:
            raise self._away("its stack is not complete") from None
        return part

    def _away(self, reason: str) -> ProblemError:
        return ProblemError(
            503,
            "state-away",
            "The app's state cannot be read",
            f"the app's stack cannot be read now: {reason}",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
