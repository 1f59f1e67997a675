"""The address of a client, for limits and for the audit log."""

from functools import lru_cache
from ipaddress import ip_address, ip_network

from starlette.requests import HTTPConnection


def audit_address(connection: HTTPConnection) -> str | None:
    """The client's address, for the audit log; None if a proxy sent something else."""
    try:
        return str(ip_address(connection.client.host if connection.client else ""))
    except ValueError:
        return None


def client_address(connection: HTTPConnection) -> str:
    """The client's IPv4 address, or its IPv6 /64 network, since a client has all addresses of it; or `unknown`."""
    return _limited(connection.client.host if connection.client else "")


@lru_cache(maxsize=1000)
def _limited(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:  # a proxy may send anything
        return "unknown"
    return str(address if address.version == 4 else ip_network((int(address), 64), strict=False))
