"""Answers of an account that one process asks for once, however many instances it judges."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from tenantry.aura.errors import AuraError, AuraNotFoundError, InstanceError
from tenantry.aura.judging import combination_fault, same_name_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.aura.client import AuraClient
    from tenantry.aura.judging import Fault, Wanted

_SECONDS: Final = 30.0
"""How long an answer is used again. A process that lives on must see later changes."""


class Account:
    """An account as it is seen at the beginning of a run; safe to share between threads."""

    def __init__(self, client: AuraClient) -> None:
        """Ask nothing yet."""
        self.client = client
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], tuple[float, Any]] = {}

    def judge(self, wanted: Wanted, *, is_new: bool) -> Fault | None:
        """Say why the instance cannot be made; None where nothing speaks against it.

        :param is_new: no instance may have its name yet
        :raises AuraError: Aura does not let itself be asked
        """
        project = wanted.tenant_id
        tenant = self._once("tenant", project, lambda: self._tenant(project))
        if fault := combination_fault(wanted, tenant.instance_configurations):
            return fault
        if not is_new:
            return None
        listed = self._once("instances", project, lambda: self.client.instances(project))
        return same_name_fault(self.client, wanted, listed)

    def _tenant(self, project: str) -> Any:  # noqa: ANN401 of the kind that its caller knows
        try:
            return self.client.tenant(project)
        except AuraNotFoundError:
            seen = ", ".join(f"{each.id} ({each.name})" for each in self.client.tenants())
            raise InstanceError(
                f"Aura project {project} (AURA_TENANT_ID) is not one that these credentials see: {seen or 'they see none'}"
            ) from None

    def _once(self, kind: str, key: str, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 as `ask` returns
        # One thread asks, the others wait. More requests would only queue for their turn.
        with self._lock:
            asked, answer = self._answers.get((kind, key), (0.0, None))
            now = self.client.clock.elapsed()
            if answer is None or now - asked > _SECONDS:
                try:
                    answer = ask()
                except AuraError as error:
                    # A refusal is kept too: what is wrong for one instance is wrong for all.
                    answer = error
                self._answers[kind, key] = (self.client.clock.elapsed(), answer)
        if isinstance(answer, AuraError):
            raise answer
        return answer
