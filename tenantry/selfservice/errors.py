"""What is wrong with the rows of self-service, or with the database that has them."""

from tenantry.errors import TenantryError


class SelfServiceError(TenantryError):
    """The service's part of the catalog cannot be used."""


class AwayError(SelfServiceError):
    """The catalog's server does not answer, or has ended the connection."""

    may_pass = True


class TwiceError(SelfServiceError):
    """An app is in the registry's file and was asked for as well; one line for each."""


class CutError(AwayError):
    """A connection to it was cut; another one may be had."""
