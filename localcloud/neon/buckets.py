"""Buckets of a branch and the objects in them. A new branch has its parent's; what either does then is its own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

from localcloud.clock import render
from localcloud.neon import bodies
from localcloud.neon.access import branch_of
from localcloud.neon.errors import ApiError, bad_request, not_found
from localcloud.neon.objects import METHODS, content, signed_url
from localcloud.neon.pagination import page
from localcloud.neon.parameters import limit_of, required_of
from localcloud.neon.routing import Routes, answer, gone
from localcloud.records import Bucket

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json, StoredObject

_QUARTER_HOUR = 900
_MAX_PREFIX_BYTES = 1024


async def create_bucket(cloud: Cloud, request: Request) -> Response:
    """Make a bucket."""
    branch = branch_of(cloud, request)
    wanted = await bodies.read(request, bodies.BucketCreate)
    if f"{branch.id}/{wanted.name}" in cloud.state.buckets:
        raise ApiError(409, "bucket already exists")
    bucket = Bucket(branch.id, wanted.name, wanted.access_level or "private", cloud.clock.now())
    cloud.state.put(bucket)
    return answer({"bucket": _shown(bucket)}, 201)


async def list_buckets(cloud: Cloud, request: Request) -> Response:
    """List a branch's buckets."""
    branch = branch_of(cloud, request)
    return answer({"buckets": [_shown(each) for each in cloud.state.buckets.of(branch.id)]})


async def delete_bucket(cloud: Cloud, request: Request) -> Response:
    """Delete a bucket that is empty."""
    bucket = _bucket(cloud, request)
    if _objects(cloud, bucket):
        raise ApiError(409, "bucket is not empty")
    with cloud.state.change() as change:
        change.delete(bucket)
    return gone()


async def list_objects(cloud: Cloud, request: Request) -> Response:
    """List objects by key, those below a delimiter as folders."""
    bucket = _bucket(cloud, request)
    query = request.query_params
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    limit = limit_of(query, default=1000, maximum=1000)
    items: dict[str, StoredObject | None] = {}
    for stored in _objects(cloud, bucket):
        if not stored.key_name.startswith(prefix):
            continue
        head, found, _rest = stored.key_name[len(prefix) :].partition(delimiter or "\0")
        items[prefix + head + found if found else stored.key_name] = None if found else stored
    chosen, cursor = page(list(items), lambda each: (each, ""), query.get("cursor"), limit)
    truncated = bool(chosen) and chosen[-1] != max(items)
    return answer(
        {
            "folders": [name for name in chosen if items[name] is None],
            "objects": [_item(each) for name in chosen if (each := items[name]) is not None],
            "prefix": prefix,
            "next_cursor": cursor if truncated and cursor else "",
            "is_truncated": truncated,
        }
    )


async def download_object(cloud: Cloud, request: Request) -> Response:
    """Give an object's bytes."""
    return content(cloud, _object(cloud, request))


async def presign(cloud: Cloud, request: Request) -> Response:
    """Give an address by which bytes come or go without a key of the account."""
    bucket = _bucket(cloud, request)
    wanted = await bodies.read(request, bodies.Presign)
    until = ceil(time.time() + (wanted.expires_in_seconds or _QUARTER_HOUR))
    method = METHODS[wanted.operation]
    key = request.path_params["object_key"]
    upload = wanted.operation == "upload"
    return answer(
        {
            "url": signed_url(cloud, method, bucket.branch_id, bucket.name, key, until),
            "method": method,
            "headers": {"Content-Type": wanted.content_type}
            if upload and wanted.content_type
            else {},
            "expires_at": render(datetime.fromtimestamp(until, UTC)),
        }
    )


async def delete_object(cloud: Cloud, request: Request) -> Response:
    """Delete an object."""
    _delete(cloud, [_object(cloud, request)])
    return gone()


async def delete_folder(cloud: Cloud, request: Request) -> Response:
    """Delete all objects below a prefix."""
    bucket = _bucket(cloud, request)
    prefix = required_of(request.query_params, "prefix")
    if not prefix.endswith("/") or len(prefix.encode()) > _MAX_PREFIX_BYTES:
        raise bad_request(
            f'parameter "prefix" in query has an error: must end with / and have {_MAX_PREFIX_BYTES} bytes at most'
        )
    found = [each for each in _objects(cloud, bucket) if each.key_name.startswith(prefix)]
    _delete(cloud, found)
    return answer({"deleted": len(found)})


def _delete(cloud: Cloud, found: list[StoredObject]) -> None:
    with cloud.state.change() as change:
        change.delete(*found)
    cloud.objects.keep({each.digest for each in cloud.state.objects.values()})


def _bucket(cloud: Cloud, request: Request) -> Bucket:
    branch = branch_of(cloud, request)
    bucket = cloud.state.buckets.get(f"{branch.id}/{request.path_params['bucket_name']}")
    if bucket is None:
        raise not_found("bucket")
    return bucket


def _objects(cloud: Cloud, bucket: Bucket) -> list[StoredObject]:
    found = [
        each for each in cloud.state.objects.of(bucket.branch_id) if each.bucket == bucket.name
    ]
    return sorted(found, key=lambda each: each.key_name)


def _object(cloud: Cloud, request: Request) -> StoredObject:
    bucket = _bucket(cloud, request)
    key = f"{bucket.key}/{request.path_params['object_key']}"
    found = cloud.state.objects.get(key)
    if found is None:
        raise not_found("object")
    return found


def _shown(bucket: Bucket) -> Json:
    return {
        "name": bucket.name,
        "access_level": bucket.access_level,
        "created_at": bucket.created_at,
    }


def _item(record: StoredObject) -> Json:
    return {
        "key": record.key_name,
        "size": record.size,
        "last_modified": record.last_modified,
        "etag": record.digest,
    }


_BUCKETS = "/projects/{project_id}/branches/{branch_id}/buckets"
_OBJECTS = _BUCKETS + "/{bucket_name}/objects"
ROUTES: Routes = [
    ("GET", _BUCKETS, list_buckets),
    ("POST", _BUCKETS, create_bucket),
    ("DELETE", _BUCKETS + "/{bucket_name}", delete_bucket),
    ("GET", _OBJECTS, list_objects),
    ("DELETE", _BUCKETS + "/{bucket_name}/objects-by-prefix", delete_folder),
    ("GET", _OBJECTS + "/{object_key}/download", download_object),
    ("POST", _OBJECTS + "/{object_key}/presign", presign),
    ("DELETE", _OBJECTS + "/{object_key}", delete_object),
]
