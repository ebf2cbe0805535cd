"""What can be done from the page: it asks first, needs the scope and the session's own form, and is in the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.page import Pages, pages, send, token_in, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog


@pytest.fixture
def site(catalog: Catalog, tmp_path: Path) -> Iterator[Pages]:
    with pages(catalog, tmp_path) as made:
        yield made


def audit(site: Pages) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = site.api.catalog.ask(
        "SELECT actor, action, origin FROM tenantry.audit WHERE actor = 'tests|vera' ORDER BY id"
    )
    return rows


def test_an_app_is_asked_for_made_and_rotated(site: Pages) -> None:
    with site.visitor() as visitor:
        wanted = {"app_name": "web", "tenant": "acme", "plan": "starter", "key": "k-1"}
        asked = send(visitor, "/ask", wanted)
        assert (asked.status_code, asked.headers["location"]) == (303, "/apps/acme/web")
        # The form that was sent twice is the same request.
        assert send(visitor, "/ask", wanted).status_code == 303
        ((operation, count),) = site.api.catalog.ask(
            "SELECT min(id::text), count(*) FROM tenantry.operations"
        )
        assert count == 1
        refused = send(visitor, "/ask", {**wanted, "key": "k-2"})
        assert refused.status_code == 422
        assert "acme/web is there already" in refused.text
        assert 'value="web"' in refused.text
        other = send(visitor, "/ask", {**wanted, "key": "k-3", "region": "mars"})
        assert "mars" in other.text
        assert "provisioning" in visitor.get("/apps/acme/web").text
        runs = visitor.get("/runs").text
        assert "1 waiting" in runs
        assert f"/runs/{operation}/cancel" in runs
        site.api.work(operation)
        rotated = send(visitor, "/apps/acme/web/rotate")
        assert rotated.status_code == 303
        shown = visitor.get(rotated.headers["location"]).text
        assert "rotate of acme/web" in shown
        assert "tests|vera" in shown
        assert [each[1] for each in audit(site)] == ["apps.create", "apps.rotate"]
        assert {each[2] for each in audit(site)} == {"127.0.0.1"}


def test_what_failed_is_tried_again_and_what_waits_is_cancelled(site: Pages) -> None:
    made = site.api.create("web")
    site.api.work(made["operation"]["id"], "failed")
    with site.visitor() as visitor:
        assert f"/runs/{made['operation']['id']}/retry" in visitor.get("/runs").text
        again = send(visitor, f"/runs/{made['operation']['id']}/retry")
        assert again.status_code == 303
        path = again.headers["location"]
        assert path != f"/runs/{made['operation']['id']}"
        assert "queued" in visitor.get(path).text
        # Once is enough: it is superseded by now.
        assert send(visitor, f"/runs/{made['operation']['id']}/retry").status_code == 409
        assert send(visitor, f"{path}/cancel").status_code == 303
        assert "cancelled" in visitor.get(path).text
        assert [each[1] for each in audit(site)] == ["operations.retry", "operations.cancel"]


def test_a_form_of_another_site_or_session_does_nothing(site: Pages) -> None:
    made = site.api.create("web")
    path = f"/runs/{made['operation']['id']}/cancel"
    with site.visitor() as visitor, site.visitor() as other:
        own = token_in(visitor.get(path).text)
        foreign = {"sec-fetch-site": "cross-site"}
        assert visitor.post(path).status_code == 415
        assert visitor.post(path, data={"form_token": ""}).status_code == 403
        assert visitor.post(path, data={"form_token": "é"}).status_code == 403
        assert other.post(path, data={"form_token": own}).status_code == 403
        assert visitor.post(path, data={"form_token": own}, headers=foreign).status_code == 403
        assert visitor.post(path, json={"form_token": own}).status_code == 415
        many = {"form_token": own, **{f"f{number}": "" for number in range(200)}}
        assert visitor.post(path, data=many).status_code == 400
        assert audit(site) == []
        assert visitor.post(path, data={"form_token": own}).status_code == 303


def test_who_lacks_a_scope_is_refused(site: Pages) -> None:
    made = site.api.create("web")
    site.api.work(made["operation"]["id"], "failed")
    run = f"/runs/{made['operation']['id']}"
    with site.visitor("apps:read", tenant="acme") as reader:
        shown = reader.get(run).text
        assert "Try again" not in shown
        for path in (f"{run}/retry", f"{run}/cancel", "/apps/acme/web/rotate", "/ask"):
            assert reader.get(path).status_code == 403
            assert reader.post(path, data={"form_token": token_in(shown)}).status_code == 403
        for path in ("/plan", "/findings/look", "/plan/look"):
            assert reader.get(path).status_code == 403
        assert reader.get("/findings").status_code == 200
    with site.visitor("apps:read", "apps:write", tenant="globex") as other:
        for path in (run, f"{run}/retry", "/apps/acme/web/rotate"):
            assert other.get(path).status_code == 404
        assert send(other, "/ask", {"app_name": "x", "tenant": "acme"}).status_code == 422
        assert "acme" not in other.get("/runs").text
    assert audit(site) == []


def test_a_look_that_fails_says_why(site: Pages, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").unlink()
    with site.visitor() as visitor:
        assert send(visitor, "/findings/look").status_code == 303
        shown = until(visitor, "/findings", "The look of")
        assert "Pulumi.yaml" in shown
        assert visitor.post("/plan/look", data={"form_token": token_in(shown)}).status_code == 422
    assert audit(site)[0][1] == "fleet.drift"
