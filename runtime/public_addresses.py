"""Which addresses a request may be sent to whose URL a user chose: public ones, and those that the operator allows."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

METADATA = (ip_network("168.63.129.16/32"), ip_network("192.0.0.0/24"))
"""Clouds' servers for their own machines, at addresses that aren't private. Other clouds' are link-local or private."""
NAT64 = ip_network("64:ff9b::/96")


def is_reachable(address: str, allowed: Sequence[str] = ()) -> bool:
    """Whether it is public, or in one of the `allowed` networks. An IPv6 address that stands for an IPv4 address is as
    good as that."""
    ip = _plain(ip_address(address.partition("%")[0]))
    if any(ip in ip_network(network) for network in allowed):
        return True
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in METADATA)


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo is not None else None)
    return embedded or ip
