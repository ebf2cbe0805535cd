"""What the Neon API says of a project's compute: reads only, for reports."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tenantry.hiding import hidden

if TYPE_CHECKING:
    import httpx

API_URL = "https://console.neon.tech/api/v2"
READERS = 8
NOT_FOUND = 404
GONE = "gone"


class NeonError(Exception):
    """The API refused or did not answer; one line."""


def computes(projects: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Read the compute states with the key and the URL of the environment; without a key, nothing.

    `NEON_API_KEY`, and `NEON_API_URL` where it is not Neon's own.

    :raises NeonError: as `compute_states`
    """
    key = environment.get("NEON_API_KEY")
    if not key:
        return {}
    return compute_states(projects, api_key=key, url=environment.get("NEON_API_URL") or API_URL)


def compute_states(
    projects: Iterable[str],
    *,
    api_key: str,
    url: str = API_URL,
    transport: "httpx.BaseTransport | None" = None,
) -> dict[str, str]:
    """Read the state of each project's first read-write compute: `init`, `active` or `idle`, or `gone`.

    One request a project (`GET /projects/{id}/endpoints`), a few at a time. No compute is woken by it.

    :raises NeonError: the key is refused, the API does not answer
    """
    import httpx  # noqa: PLC0415 a validation needs no HTTP client

    with httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {api_key}"},
        timeout=10,
        transport=transport,
    ) as client:

        def state(project: str) -> str:
            try:
                answer = client.get(f"/projects/{project}/endpoints")
            except httpx.HTTPError as error:
                raise NeonError(
                    f"{client.base_url}: {hidden(str(error), api_key)}; is NEON_API_URL right, is the local cloud up?"
                ) from None
            if answer.status_code == NOT_FOUND:
                return GONE
            if answer.is_error:
                raise NeonError(
                    f"GET {answer.request.url.path}: {answer.status_code} {answer.reason_phrase}"
                    f" (request {answer.headers.get('x-neon-ret-request-id', 'unknown')});"
                    " is NEON_API_KEY right?"
                )
            for endpoint in answer.json()["endpoints"]:
                if endpoint["type"] == "read_write":
                    return str(endpoint["current_state"])
            return "no compute"

        found = list(projects)
        with ThreadPoolExecutor(READERS) as readers:
            return dict(zip(found, readers.map(state, found), strict=True))
