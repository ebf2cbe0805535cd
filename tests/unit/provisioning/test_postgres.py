import psycopg
import pytest
from psycopg import errors

from tenantry.provisioning.errors import (
    BusyError,
    DeniedError,
    MissingError,
    ProvisioningError,
    RejectedError,
    UnavailableError,
)
from tenantry.provisioning.postgres import kind_of, kind_of_state, reason_of


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.SerializationFailure, BusyError),
        (errors.DeadlockDetected, BusyError),
        (errors.ObjectInUse, BusyError),
        (errors.LockNotAvailable, BusyError),
        (errors.TooManyConnections, BusyError),
        (errors.DiskFull, BusyError),
        (errors.ConnectionFailure, UnavailableError),
        (errors.AdminShutdown, UnavailableError),
        (errors.CrashShutdown, UnavailableError),
        (errors.CannotConnectNow, UnavailableError),
        (errors.InsufficientPrivilege, DeniedError),
        (errors.InvalidPassword, DeniedError),
        (errors.InvalidAuthorizationSpecification, DeniedError),
        (errors.InvalidCatalogName, MissingError),
        (errors.UndefinedTable, RejectedError),
        (errors.UniqueViolation, RejectedError),
        (errors.SyntaxError, RejectedError),
        # A statement that was ended for its length would be as long the next time.
        (errors.QueryCanceled, RejectedError),
    ],
)
def test_the_code_says_what_kind_it_is(
    error: type[psycopg.Error], kind: type[ProvisioningError]
) -> None:
    assert kind_of(error("whatever it says")) is kind


# As libpq 17 says it, of a server 18.
PREFIX = 'connection to server at "127.0.0.1", port 5432 failed: FATAL:  '


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PREFIX + 'password authentication failed for user "app"', DeniedError),
        (PREFIX + 'no pg_hba.conf entry for host "127.0.0.1", user "app"', DeniedError),
        (PREFIX + 'database "shop" does not exist', MissingError),
        (PREFIX + 'too many connections for role "app"', BusyError),
        (PREFIX + "sorry, too many clients already", BusyError),
        ("connection refused", UnavailableError),
        ("connection timeout expired", UnavailableError),
        ("consuming input failed: server closed the connection unexpectedly", UnavailableError),
        ('root certificate file "/home/ci/root.crt" does not exist', UnavailableError),
        ("", UnavailableError),
    ],
)
def test_without_a_code_the_words_say_it(text: str, kind: type[ProvisioningError]) -> None:
    assert kind_of(psycopg.OperationalError(text)) is kind


def test_words_do_not_count_where_there_is_a_code() -> None:
    assert kind_of_state("23505", "too many connections") is RejectedError


def test_a_reason_is_one_line() -> None:
    error = psycopg.OperationalError("the server\n\tended the connection\n")
    assert reason_of(error) == "the server ended the connection"
