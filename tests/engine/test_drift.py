"""What an app's login changes of itself or takes from itself: shown as a change, and put back by `up --refresh`."""

import psycopg
import pytest
from psycopg import sql

from tests.engine.workspace import Workspace
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: drift
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: development
        region: aws-us-east-2
        database:
          statement_timeout: 30s
          idle_in_transaction_timeout: 10s
          schema: base
        deletion: delete
"""

DECLARED = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "search_path": "app, public",
}


@pytest.fixture(scope="module")
def converged(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("drift") / "workspace", cloud.env())
    workspace.apply(REGISTRY)
    return workspace


def settings(url: str) -> dict[str, str]:
    """The managed settings that a new session of the login has."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)",
            [list(DECLARED)],
        ).fetchall()
    return dict(found)


def alter_itself(url: str, changed: dict[str, str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for setting, value in changed.items():
            connection.execute(
                sql.SQL("ALTER ROLE current_user SET {} TO {}").format(
                    sql.Identifier(setting), value
                )
            )


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"statement_timeout": "1h"}, ["statementTimeout"]),
        (
            {"idle_in_transaction_session_timeout": "1.5 min", "search_path": r"$user, a\b"},
            ["idleInTransactionSessionTimeout", "searchPaths"],
        ),
        ({"search_path": ""}, ["searchPaths"]),
    ],
)
def test_a_setting_that_the_login_changes_of_itself_is_put_back(
    converged: Workspace, changed: dict[str, str], fields: list[str]
) -> None:
    url = converged.url("acme/web")
    assert settings(url) == DECLARED
    alter_itself(url, changed)

    shown = converged.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff")
    assert shown.code != 0
    assert "no changes were expected for refresh but changes were proposed" in shown.err
    assert shown.said.lower().count("error") == 1
    for field in fields:
        assert field in shown.out

    converged.must("up", "--yes", "--skip-preview", "--refresh")
    assert settings(url) == DECLARED


def test_a_setting_of_the_apps_own_is_left_alone(converged: Workspace) -> None:
    alter_itself(converged.url("acme/web"), {"application_name": r"a\b"})
    converged.assert_converged()


DEFAULT_RIGHTS = """
SELECT defaclobjtype::text, array_agg(privilege_type ORDER BY privilege_type)
FROM pg_default_acl, aclexplode(defaclacl)
WHERE pg_has_role(grantee, 'USAGE') GROUP BY defaclobjtype"""


def test_default_rights_that_the_login_takes_from_its_group_are_shown_and_put_back(
    converged: Workspace,
) -> None:
    with psycopg.connect(converged.url("acme/web"), autocommit=True) as login:
        before: dict[str, list[str]] = dict(login.execute(DEFAULT_RIGHTS).fetchall())
        assert before == {
            "r": ["DELETE", "INSERT", "SELECT", "UPDATE"],
            "S": ["SELECT", "UPDATE", "USAGE"],
            "f": ["EXECUTE"],
        }
        group = login.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE '%rw' AND pg_has_role(oid, 'USAGE')"
        ).fetchone()
        assert group
        login.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(group[0])))
        assert login.execute(DEFAULT_RIGHTS).fetchall() == []
        # What is there stays the app's to use.
        login.execute("INSERT INTO settings (key, value) VALUES ('kept', '1')")

        shown = converged.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff")
        assert shown.code != 0
        for kind in ("tables", "sequences", "functions"):
            assert f"acme/web/{kind}" in shown.out

        converged.must("up", "--yes", "--skip-preview", "--refresh")
        assert dict(login.execute(DEFAULT_RIGHTS).fetchall()) == before
    converged.assert_converged()
