"""Which URLs lead where nobody in between can read or change what is said."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def on_this_machine(host: str | None) -> bool:
    """Tell whether a host is this machine's loopback, by its name or address alone: no name is looked up."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_safe(url: str) -> bool:
    """Tell whether a URL is https, or http on this machine; without a user, a password or a fragment in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and on_this_machine(host))
