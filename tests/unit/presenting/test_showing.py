"""What `tenantry show` puts together."""

from datetime import UTC, datetime

from tenantry.presenting.showing import Secret, formerly_of, shown
from tenantry.states.apps import held_in
from tenantry.states.history import Update
from tests.unit.planning import support

WEB = support.app(contact="ops@acme.example")
FACTS = {
    "project": "calm-sea",
    "host": "h",
    "login": "l",
    "services": {"auth": "active"},
    "apiKeys": {"default": [1, 2], "gone": []},
    "graphs": {"acme/web": {"instance": "db1", "status": "running"}},
}
STATE = {
    "manifest": {"time": "2026-11-22T10:00:00.123456789Z"},
    "resources": [
        {
            "urn": "urn:pulumi:dev::tenantry::pulumi:pulumi:Stack::tenantry-dev",
            "type": "pulumi:pulumi:Stack",
            "outputs": {"apps": {"acme/web": FACTS}},
        },
        {
            "urn": support.urn(support.APP, "acme/web"),
            "type": support.APP,
            "outputs": support.outputs(support.app()),
        },
        *(
            {"urn": support.urn(support.ROLE, name), "type": support.ROLE}
            for name in ("acme/web/owner", "acme/web/rw", "acme/web-dev/owner")
        ),
    ],
}


def test_an_app_that_is_applied_and_declared() -> None:
    holding = held_in(STATE, "dev", "acme/web")
    assert holding is not None
    assert holding.resources == 2
    assert holding.written == datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
    found = shown("acme/web", WEB, holding, "active", "dev")
    assert found.pending == ("tenants.acme.contact: none → ops@acme.example",)
    assert found.registry is not None
    assert found.registry["place"] == "tenants.yaml:1"
    assert Secret("API key default", "tenantry keys show acme/web default") in found.secrets
    assert "API key gone" not in {each.what for each in found.secrets}
    text = "\n".join(found.as_text())
    assert "  project: calm-sea\n" in text
    assert "  services: auth active\n  apiKeys: default 1, 2, gone -\n" in text
    assert "  branches: -\n" in text
    assert "  login: tenant_acme__web__login_a\n" in text
    assert "compute: active\nnot applied yet: tenants.acme.contact" in text


def test_the_last_run_of_its_stack_is_told_with_who_was_behind_it() -> None:
    ended = datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)
    update = Update("update", "succeeded", ended, None, None, settled=True, actor="octocat")
    found = shown("acme/web", WEB, held_in(STATE, "dev", "acme/web"), None, "dev", update)
    assert found.state is not None
    assert found.state["last_run"] == {
        "result": "update succeeded",
        "ended": "2026-11-22T10:00:01+00:00",
        "by": "octocat",
    }
    assert (
        "  last_run: result update succeeded, ended 2026-11-22T10:00:01+00:00, by octocat"
        in set(found.as_text())
    )


def test_of_another_stack_the_commands_name_it() -> None:
    found = shown("acme/web", WEB, held_in(STATE, "acme--web", "acme/web"), None, "")
    assert found.secrets[0].command == "PULUMI_STACK=acme--web tenantry url acme/web"


def test_an_app_that_is_only_declared_or_only_applied() -> None:
    new = shown("acme/web", WEB, held_in(None, "dev", "acme/web"), None, "dev")
    assert (new.state, new.pending, new.secrets) == (None, (), ())
    assert "state: none" in list(new.as_text())
    left = shown("acme/web", None, held_in(STATE, "dev", "acme/web"), None, "dev")
    assert (left.registry, left.pending) == (None, ("it left the registry",))


def test_a_renamed_app_is_shown_with_the_names_that_it_has() -> None:
    holding = held_in(STATE, "dev", "acme/web")
    assert holding is not None
    renamed = support.app(id="acme/site", name="site", renamed_from=("acme/web",))
    assert formerly_of(renamed, holding) == ("acme/web",)
    found = shown("acme/site", renamed.held_formerly(("acme/web",)), holding, None, "dev")
    assert found.names["database"] == "tenant_acme__web"
    assert found.names["project"].endswith("--acme--site")
    assert found.registry is not None
    assert found.registry["renamed_from"] == ["acme/web"]
    assert found.pending == (
        "id: acme/web → acme/site, renamed: its project, data, logins and keys stay",
    )
