"""The API's errors: a status, a code (mostly empty, as on Neon) and a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.asgi import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localcloud.records import Json


class ApiError(Refusal):
    """An answer other than success. ``code`` is from Neon's list, or empty."""

    def __init__(
        self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.message = message
        self.code = code

    def document(self, request_id: str) -> Json:
        """Return the body of the answer."""
        return {"request_id": request_id, "code": self.code, "message": self.message}


def unauthorized() -> ApiError:
    """Return the error for no key, or a wrong one."""
    return ApiError(401, "supplied credentials do not pass authentication")


def no_route() -> ApiError:
    """Return the error for a path or method that the API does not have."""
    return ApiError(404, "this route does not exist")


def not_found(what: str) -> ApiError:
    """Return the error for a missing object."""
    return ApiError(404, f"{what} not found")


def bad_request(message: str) -> ApiError:
    """Return the error for a request that no plan allows."""
    return ApiError(400, message)


def locked() -> ApiError:
    """Return the error while the project has unfinished operations."""
    return ApiError(
        423,
        "project already has running conflicting operations, scheduling of new ones is prohibited",
    )


def too_many_requests(headers: Mapping[str, str]) -> ApiError:
    """Return the error for a request above the rate limit."""
    return ApiError(429, "rate limit exceeded, try again later", headers=headers)


def limit(code: str, message: str) -> ApiError:
    """Return the error for a plan's limit that is reached."""
    return ApiError(422, message, code)


def not_here(what: str) -> ApiError:
    """Return the error for what Neon's API document has and the local cloud has not."""
    return ApiError(501, f"{what}: documented, not in the local cloud", "NOT_IN_LOCAL_CLOUD")
