"""What lies above the plan of an app that was asked for, in the words of the registry."""

from tenantry.registry.written.api_keys import ApiKey
from tenantry.registry.written.database import Credentials, Region
from tenantry.registry.written.mapping import Written


class AskedDatabase(Written):
    """Of the app's database: the generation of its login, which the service raises."""

    credentials: Credentials | None = None


class Asked(Written):
    """The region, which a caller may choose; generations and keys, which the service keeps for the app."""

    region: Region | None = None
    database: AskedDatabase | None = None
    api_keys: list[ApiKey] | None = None
