"""How a run of the engine fails before it begins."""

from tenantry.errors import TenantryError


class EngineError(TenantryError):
    """The engine cannot be started, or did not answer. One line, with the way out."""
