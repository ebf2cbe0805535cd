"""Alembic keeps what it is working on in globals (`alembic.op`, `alembic.context`): one history runs at a time in a process."""

import threading
from typing import Final

ONE_AT_A_TIME: Final = threading.Lock()
"""Held while Alembic runs a history, whosever it is: the engine has dynamic resources made by several threads at once."""
