"""The `pulumi` command: where it is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tenantry.running.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_pulumi(environment: Mapping[str, str]) -> str:
    """Return the path of `pulumi`.

    :param environment: the variables of the run; its PATH is searched
    :raises EngineError: it is not there
    """
    command = shutil.which("pulumi", path=environment.get("PATH"))
    if command is None:
        raise EngineError("there is no pulumi: tenantry engine puts it beside this command")
    return command
