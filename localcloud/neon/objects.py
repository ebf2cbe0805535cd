"""Bytes of objects: a folder of files named for what they hold, and the signed addresses by which they come and go."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import FileResponse, Response

from localcloud.asgi import HttpApi
from localcloud.neon.errors import ApiError, no_route, not_found
from localcloud.records import StoredObject

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from localcloud.neon.cloud import Cloud

PREFIX = "/_objects"
METHODS = {"upload": "PUT", "download": "GET"}


class ObjectStore:
    """Files named for the SHA-256 of their bytes, so that a branch's copy of an object is no copy of a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Return where the bytes are."""
        return self._folder / digest

    async def save(self, request: Request) -> tuple[str, int]:
        """Keep a request's body; return its digest and its size."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        draft = self._folder / f"{uuid.uuid4().hex}.draft"
        digest, size = hashlib.sha256(), 0
        try:
            with draft.open("wb") as file:
                async for chunk in request.stream():
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
            draft.replace(self.path(digest.hexdigest()))
        finally:
            draft.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def keep(self, digests: set[str]) -> None:
        """Remove all that is not one of these."""
        for path in self._folder.glob("*"):
            if path.name not in digests and path.suffix != ".draft":
                path.unlink()


def signed_url(cloud: Cloud, method: str, branch_id: str, bucket: str, key: str, until: int) -> str:
    """Return an address that is good for one method, until a time (Unix seconds)."""
    path = f"{PREFIX}/{branch_id}/{bucket}/{key}"
    seal = _seal(cloud, method, path, str(until))
    return f"http://127.0.0.1:{cloud.settings.port}{quote(path)}?until={until}&signature={seal}"


def _seal(cloud: Cloud, method: str, path: str, until: str) -> str:
    message = "\n".join((method, path, until)).encode()
    return hmac.new(cloud.settings.superuser_password.encode(), message, hashlib.sha256).hexdigest()


class Transfers(HttpApi):
    """What answers at those addresses."""

    log = logging.getLogger("localcloud.objects")

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        place = PREFIX + "/{branch_id}/{bucket}/{key:path}"
        super().__init__([("PUT", place, self._put), ("GET", place, self._get)])

    def admit(self, request: Request, _route: str) -> None:
        """Check signature and time. Raises ApiError 403."""
        until = request.query_params.get("until", "")
        seal = _seal(self._cloud, request.method, request.url.path, until)
        given = request.query_params.get("signature", "")
        if not hmac.compare_digest(seal.encode(), given.encode()):
            raise ApiError(403, "the signature does not match")
        if time.time() > int(until):
            raise ApiError(403, "the address has expired")

    def no_route(self) -> ApiError:
        """Return the answer to a request that is none of these."""
        return no_route()

    def failure(self, _error: Exception) -> ApiError:
        """Return the answer to a request that failed inside."""
        return ApiError(500, "internal error")

    async def _put(self, request: Request) -> Response:
        branch_id, bucket = request.path_params["branch_id"], request.path_params["bucket"]
        digest, size = await self._cloud.objects.save(request)
        if f"{branch_id}/{bucket}" not in self._cloud.state.buckets:
            raise not_found("bucket")
        made = StoredObject(
            branch_id, bucket, request.path_params["key"], size, digest, self._cloud.clock.now()
        )
        self._cloud.state.put(made)
        return Response(headers={"ETag": f'"{digest}"'})

    async def _get(self, request: Request) -> Response:
        parameters = request.path_params
        key = "/".join((parameters["branch_id"], parameters["bucket"], parameters["key"]))
        found = self._cloud.state.objects.get(key)
        if found is None:
            raise not_found("object")
        return content(self._cloud, found)


def content(cloud: Cloud, found: StoredObject) -> Response:
    """Return an object's bytes, as a download."""
    headers = {
        "ETag": f'"{found.digest}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "attachment",
    }
    return FileResponse(
        cloud.objects.path(found.digest), media_type="application/octet-stream", headers=headers
    )
