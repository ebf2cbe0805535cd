"""Regions (https://neon.com/docs/introduction/regions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon.caller import caller_of
from localcloud.neon.errors import bad_request
from localcloud.neon.parameters import identifier_of
from localcloud.neon.routing import Routes, answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud

DEFAULT_REGION = "aws-us-east-2"

# By id: name, latitude and longitude.
REGIONS = {
    "aws-us-east-1": ("AWS US East 1 (N. Virginia)", "38.13", "-78.45"),
    "aws-us-east-2": ("AWS US East 2 (Ohio)", "39.96", "-83.00"),
    "aws-us-west-2": ("AWS US West 2 (Oregon)", "45.87", "-119.69"),
    "aws-eu-central-1": ("AWS Europe Central 1 (Frankfurt)", "50.11", "8.68"),
    "aws-eu-west-2": ("AWS Europe West 2 (London)", "51.51", "-0.13"),
    "aws-ap-southeast-1": ("AWS Asia Pacific 1 (Singapore)", "1.29", "103.85"),
    "aws-ap-southeast-2": ("AWS Asia Pacific 2 (Sydney)", "-33.87", "151.21"),
    "aws-sa-east-1": ("AWS South America East 1 (São Paulo)", "-23.55", "-46.63"),
    "azure-eastus2": ("Azure East US 2 (Virginia)", "36.67", "-78.39"),
    "azure-westus3": ("Azure West US 3 (Arizona)", "33.45", "-112.07"),
    "azure-gwc": ("Azure Germany West Central (Frankfurt)", "50.11", "8.68"),
}


def domain_of(region_id: str, domain: str = "neon.tech") -> str:
    """Return the domain of a region's endpoints, e.g. ``us-east-2.aws.neon.tech``."""
    platform, _, place = region_id.partition("-")
    return f"{place}.{platform}.{domain}"


def check_region(region_id: str) -> None:
    """Refuse a region that Neon does not have. Raises ApiError 400."""
    if region_id not in REGIONS:
        raise bad_request(f'region "{region_id}" is not supported')


async def list_regions(cloud: Cloud, request: Request) -> Response:
    """All regions; not for an organization's key."""
    caller_of(request).check_personal()
    org_id = identifier_of(request.query_params, "org_id")
    if org_id:
        caller_of(request).organization(cloud, org_id)
    return answer(
        {
            "regions": [
                {
                    "region_id": region_id,
                    "name": name,
                    "default": region_id == DEFAULT_REGION,
                    "geo_lat": latitude,
                    "geo_long": longitude,
                }
                for region_id, (name, latitude, longitude) in REGIONS.items()
            ]
        }
    )


ROUTES: Routes = [("GET", "/regions", list_regions)]
