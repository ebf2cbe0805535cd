"""What can go wrong with states."""

from tenantry.errors import TenantryError


class StatesError(TenantryError):
    """A state, a lock or a history cannot be read or written. Nothing was changed; the text says what to do."""


class StatesAwayError(StatesError):
    """The backend does not answer, or has ended the connection."""

    may_pass = True


class CutOffError(StatesError):
    """A state is not whole. The text says which copy of it is, what that lacks, and the command that puts it back."""

    def __init__(self, where: str, key: str, stack: str, copy: str) -> None:
        """Note it.

        :param where: the backend
        :param key: where that has the state
        :param copy: of when the last whole copy is, and what that lacks; empty where there is none
        """
        fate = (
            f"tenantry doctor --fix puts its last whole copy back, {copy}"
            if copy
            else f"there is no whole copy of it: get {key} from a backup of the backend"
        )
        super().__init__(f"{where}: the state of stack {stack} was cut off: {fate}")
        self.stack = stack
        self.copy = copy
