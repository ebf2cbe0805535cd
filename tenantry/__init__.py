"""Tenantry: a database for every tenant, declared in one YAML file."""

from typing import Final

__version__: Final = "0.1.0"
