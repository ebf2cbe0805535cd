"""Alembic works with globals (`alembic.op`, `alembic.context`), so one history runs at a time in a process."""

import threading
from typing import Final

ONE_AT_A_TIME: Final = threading.Lock()
"""Held while Alembic runs any history: the engine has dynamic resources made by several threads at once."""
