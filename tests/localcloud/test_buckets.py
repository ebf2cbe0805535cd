"""Objects in the buckets of branches. Every answer of the API is checked against Neon's document as well."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest

from tests.localcloud.support import Account, Project

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def project(account: Account) -> Iterator[Project]:
    made = account.project("buckets")
    yield made
    made.delete()


def put(account: Account, path: str, key: str, content: bytes) -> None:
    body = {"operation": "upload", "content_type": "text/plain"}
    presigned = account.ask("POST", f"{path}/objects/{key}/presign", body)
    sent = httpx.request(
        presigned["method"], presigned["url"], headers=presigned["headers"], content=content
    )
    assert sent.status_code == 200


def test_objects_come_are_listed_and_go(account: Account, project: Project) -> None:
    path = f"{project.branch}/buckets"
    account.ask("POST", path, {"name": "one"})
    assert account.refusal("POST", path, {"name": "one"})[0] == 409
    assert account.refusal("POST", path, {"name": "a/b"})[0] == 400
    bucket = f"{path}/one"
    put(account, bucket, "note.txt", b"first")
    put(account, bucket, "note.txt", b"second")
    assert account.send("GET", f"{bucket}/objects/note.txt/download").content == b"second"
    # Keys with slashes, which the check against the document does not know.
    authorization = {"Authorization": f"Bearer {account.cloud.neon_api_key}"}
    for key in ("a/1", "a/2", "b/ü"):
        url = f"{account.cloud.neon_api_url}{bucket}/objects/{quote(key, safe='')}"
        body = {"operation": "upload"}
        presigned = httpx.post(f"{url}/presign", json=body, headers=authorization).json()
        assert httpx.put(presigned["url"], content=key.encode()).status_code == 200
        got = httpx.get(f"{url}/download", headers=authorization)
        assert got.content == key.encode()
    listed = account.ask("GET", f"{bucket}/objects", delimiter="/")
    assert listed["folders"] == ["a/", "b/"]
    assert [(each["key"], each["size"]) for each in listed["objects"]] == [("note.txt", 6)]
    first = account.ask("GET", f"{bucket}/objects", limit=3)
    assert first["is_truncated"] is True
    rest = account.ask("GET", f"{bucket}/objects", cursor=first["next_cursor"])
    assert [each["key"] for each in first["objects"] + rest["objects"]] == [
        "a/1",
        "a/2",
        "b/ü",
        "note.txt",
    ]
    assert account.refusal("DELETE", bucket)[0] == 409
    assert account.refusal("DELETE", f"{bucket}/objects-by-prefix", prefix="a")[0] == 400
    assert account.ask("DELETE", f"{bucket}/objects-by-prefix", prefix="a/") == {"deleted": 2}
    account.ask("DELETE", f"{bucket}/objects-by-prefix", prefix="b/")
    assert account.send("DELETE", f"{bucket}/objects/note.txt").status_code == 204
    assert account.refusal("DELETE", f"{bucket}/objects/note.txt")[0] == 404
    assert account.send("DELETE", bucket).status_code == 204
    assert account.ask("GET", path) == {"buckets": []}
    assert account.refusal("GET", f"{bucket}/objects")[0] == 404


def test_an_address_is_good_for_what_it_was_made_for_and_for_so_long(
    account: Account, project: Project
) -> None:
    path = f"{project.branch}/buckets"
    account.ask("POST", path, {"name": "two", "access_level": "public_read"})
    put(account, f"{path}/two", "x", b"bytes")
    body = {"operation": "download", "expires_in_seconds": 3}
    url = account.ask("POST", f"{path}/two/objects/x/presign", body)["url"]
    assert httpx.get(url).content == b"bytes"
    assert httpx.put(url, content=b"other").status_code == 403
    assert httpx.get(url.replace("/x?", "/y?")).status_code == 403
    assert httpx.get(url[:-1]).status_code == 403
    deadline = time.monotonic() + 20
    while httpx.get(url).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert httpx.get(url).status_code == 403
    assert account.refusal("POST", f"{path}/two/objects/x/presign", {"operation": "read"})[0] == 400


def test_a_branch_has_its_parents_objects_and_then_its_own(
    account: Account, project: Project
) -> None:
    path = f"{project.branch}/buckets"
    account.ask("POST", path, {"name": "three"})
    put(account, f"{path}/three", "x", b"parent's")
    child = project.do("POST", f"{project.path}/branches")["branch"]
    inherited = f"{project.path}/branches/{child['id']}/buckets/three"
    assert account.send("DELETE", f"{path}/three/objects/x").status_code == 204
    assert account.send("GET", f"{inherited}/objects/x/download").content == b"parent's"
    put(account, inherited, "x", b"child's")
    assert account.send("GET", f"{path}/three/objects/x/download").status_code == 404
    project.do("DELETE", f"{project.path}/branches/{child['id']}", hard_delete="true")
