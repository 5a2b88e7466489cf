"""Which IP addresses are public, and which a name has.

The tables are IANA's special-purpose registries (RFC 6890) as of 2025, written out: the answers of the `ipaddress`
module differ between versions of Python.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from gptbuilder.lib.safe_http.errors import NotResolvable, TimedOut

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC_V4 = tuple(map(IPv4Network, (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # Azure's metadata
    "169.254.0.0/16",  # link-local; most clouds' metadata
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments; Oracle's metadata
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # multicast tunnelling
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",  # private
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved; broadcast
)))  # fmt: skip
# Whatever is outside is loopback, local, multicast, discard-only, compatible with IPv4, or not assigned.
GLOBAL_UNICAST = IPv6Network("2000::/3")
NOT_PUBLIC_V6 = tuple(map(IPv6Network, (
    "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "2620:4f:8000::/48",  # AS112
    "3ffe::/16",  # returned
    "3fff::/20",  # documentation
)))  # fmt: skip
NAT64 = IPv6Network("64:ff9b::/96")
# Places that only a network of the allow-list opens: whoever runs the name server of an allowed name shall not choose
# the machine's own metadata.
NEVER_BY_NAME: tuple[Network, ...] = tuple(map(ipaddress.ip_network, (
    "0.0.0.0/8", "100.100.100.200/32", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4",
    "240.0.0.0/4", "::/128", "fd00:ec2::/32", "fd20:ce::254/128", "fe80::/10", "ff00::/8",
)))  # fmt: skip


def literal(host: str) -> Address | None:
    """The address a host is written as, and None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def read(text: str) -> Address:
    """An address that a resolver gave; the IPv4 address it leads to, if it is a mapped or a NAT64 one. Raises
    NotResolvable."""
    address = literal(text)
    if address is None:
        raise NotResolvable("The name server's answer is no address.")
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address in NAT64):
        return _last_32_bits(address)
    return address


def is_public(address: Address) -> bool:
    """Whether an address that `read` gave belongs to another machine of the internet."""
    return _is_global(address) and not _is_this_machine(address)


def is_never_by_name(address: Address) -> bool:
    return any(address in network for network in NEVER_BY_NAME)


def resolve(host: str, seconds: float) -> Sequence[str]:
    """The addresses the system knows of a name; none if it is unknown. Raises TimedOut.

    A thread asks, for getaddrinfo knows no deadline.
    """
    answer: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    threading.Thread(target=_ask, args=(host, answer), name="resolver", daemon=True).start()
    try:
        return answer.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise TimedOut(f"Nobody says in time where {host} is.") from None


def _ask(host: str, answer: queue.SimpleQueue[list[str]]) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))


def _is_global(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    if _is_isatap(address) and not _is_global(_last_32_bits(address)):
        return False
    return (
        address.scope_id is None
        and address in GLOBAL_UNICAST
        and not any(address in network for network in NOT_PUBLIC_V6)
    )


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)


def _is_isatap(address: IPv6Address) -> bool:
    """An interface identifier of RFC 5214, 6.1, whose last 32 bits are an IPv4 address."""
    return (int(address) >> 32) & 0xFDFFFFFF == 0x00005EFE


def _is_this_machine(address: Address) -> bool:
    """Whether it is one of our own interfaces: the system then sends from the address it sends to. Connecting a socket
    for datagrams asks for the route and sends nothing."""
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 443))
            return str(probe.getsockname()[0]) == str(address)
    except OSError:
        return False
