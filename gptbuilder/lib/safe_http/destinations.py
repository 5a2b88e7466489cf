"""Where a URL that a person gave leads, and whether the server may connect there.

A URL is read once, strictly, and nothing reads it again: what is checked is what is connected to. A host with one
address that is not public is refused as a whole, unless the allow-list of the administrator holds it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import idna

from gptbuilder.lib.safe_http import addresses
from gptbuilder.lib.safe_http.addresses import Address, Network
from gptbuilder.lib.safe_http.errors import AddressRefused, BadUrl, NotResolvable

# The addresses of a host, as texts; the second value is the longest it may take, in seconds.
Resolver = Callable[[str, float], Sequence[str]]

MAX_URL_CHARACTERS = 8192
MAX_NAME_CHARACTERS = 253
CHECK_SECONDS = 10
DEFAULT_PORTS = {"http": 80, "https": 443}

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?")
AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@%\\]+))(?::([0-9]{1,5}))?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# What ends in a number is an IPv4 address, or an attempt at one (WHATWG URL, 3.5).
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# All of printable ASCII but what the WHATWG encodes in a path and in a query.
PATH_SAFE = "!$%&'()*+,-./:;=@[\\]_|~"
QUERY_SAFE = PATH_SAFE + "?^`{}"

# Special-use names (RFC 6761, 6762, 7686, 8375), and those that networks use for themselves.
LOCAL_SUFFIXES = (
    "localhost", "localdomain", "local", "internal", "home.arpa", "intranet", "private", "corp", "home", "lan", "svc",
    "test", "invalid", "onion",
)  # fmt: skip
# Ports above 1023 of databases, queues, desktops and machines' own controls, and those browsers block (Fetch, 2.9).
SERVICE_PORTS = frozenset({
    1099, 1433, 1434, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3268, 3269, 3306, 3389, 3659,
    4045, 4190, 4369, 5060, 5061, 5432, 5433, 5671, 5672, 5900, 5901, 5984, 5985, 5986, 6000, 6379, 6380, 6432, 6443,
    6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7000, 7001, 7199, 7474, 7687, 8086, 8125, 8300, 8301, 8500, 8883,
    9042, 9092, 9160, 9200, 9300, 10080, 10250, 10255, 11211, 15672, 26257, 26379, 27017, 27018, 27019, 28015, 50000,
    50070, 61616,
})  # fmt: skip


@dataclass(frozen=True)
class Destination:
    """A URL that was read. `host` is a lower-case ASCII name without a final dot, or an address without brackets;
    `target` is path and query, percent-encoded."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """As in a Host header: without a port that the scheme implies."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


@dataclass(frozen=True)
class AllowList:
    """What may be reached besides the public internet: names, `*.suffix` and networks, each with a port or with None
    for every port of the web."""

    names: tuple[tuple[str, int | None], ...] = ()
    networks: tuple[tuple[Network, int | None], ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> AllowList:
        """From texts like `wiki.corp`, `*.corp:8080`, `10.1.0.0/16`, `[fd00::/8]:8443`. Raises ValueError."""
        names: list[tuple[str, int | None]] = []
        networks: list[tuple[Network, int | None]] = []
        for entry in entries:
            host, port = _split_entry(entry)
            try:
                networks.append((ipaddress.ip_network(host), port))
            except ValueError:
                names.append((_entry_name(host, entry), port))
        return cls(tuple(names), tuple(networks))

    def has_name(self, host: str, port: int) -> bool:
        return any(
            (host.endswith(name[1:]) if name.startswith("*.") else host == name) and _fits(port, only)
            for name, only in self.names
        )

    def has_address(self, address: Address, port: int) -> bool:
        return any(address in network and _fits(port, only) for network, only in self.networks)


NOTHING_MORE = AllowList()


def check(url: str, allowed: AllowList = NOTHING_MORE, resolve: Resolver = addresses.resolve) -> Destination:
    """Where `url` leads, after looking its host up, without connecting. Raises FetchFailed: BadUrl, AddressRefused,
    NotResolvable or TimedOut. What is allowed now may lead elsewhere later, so a fetch checks again."""
    destination = parse(url)
    permitted(destination.host, destination.port, allowed, resolve, CHECK_SECONDS)
    return destination


def parse(url: str) -> Destination:
    """The form alone. Refused are user names, zone ids, ports over 65535, and IPv4 addresses that are not four decimal
    numbers. Raises BadUrl."""
    if len(url) > MAX_URL_CHARACTERS or CONTROL.search(url):
        raise BadUrl("The address is too long or holds control characters.")
    found = URL.fullmatch(url)
    scheme = found[1].lower() if found else ""
    if found is None or scheme not in DEFAULT_PORTS:
        raise BadUrl("The address must begin with http:// or https://.")
    authority = AUTHORITY.fullmatch(found[2])
    if authority is None:
        raise BadUrl("The address must name a host, without user name or password.")
    port = int(authority[3] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise BadUrl("There is no such port.")
    host = _ipv6(authority[1]) if authority[1] else _name(authority[2])
    return Destination(scheme, host, port, _target(found[3], found[4]))


def permitted(host: str, port: int, allowed: AllowList, resolve: Resolver, seconds: float) -> list[str]:
    """The addresses of a host that `parse` gave, every one of them checked. Raises FetchFailed."""
    is_named = allowed.has_name(host, port)
    literal = addresses.literal(host)
    if literal is None and not is_named and _is_local(host):
        raise AddressRefused(f"{host} is a name of a local network.")
    texts = resolve(host, seconds) if literal is None else [host]
    if not texts:
        raise NotResolvable(f"There is no host {host}.")
    for text in texts:
        address = addresses.read(text)
        if not (
            allowed.has_address(address, port)
            or (is_named and not addresses.is_never_by_name(address))
            or (_is_web_port(port) and addresses.is_public(address))
        ):
            raise AddressRefused(_refusal(host, port, address))
    return list(texts)


def _refusal(host: str, port: int, address: Address) -> str:
    if _is_web_port(port) or not addresses.is_public(address):
        return f"{host} is not on the public internet."
    return f"Port {port} is not for web pages."


def _is_web_port(port: int) -> bool:
    return port in (80, 443) or (port >= 1024 and port not in SERVICE_PORTS)


def _is_local(name: str) -> bool:
    return "." not in name or name.endswith(tuple(f".{suffix}" for suffix in LOCAL_SUFFIXES))


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise BadUrl("The address in brackets is not an IPv6 address.") from None


def _name(text: str) -> str:
    try:
        ascii_text = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except UnicodeError:
        raise BadUrl("There can be no host of this name.") from None
    name = ascii_text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > MAX_NAME_CHARACTERS or not all(LABEL.fullmatch(label) for label in labels):
        raise BadUrl("There can be no host of this name.")
    if not NUMBER.fullmatch(labels[-1]):
        return name
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        raise BadUrl("An IPv4 address must be written as four decimal numbers.") from None


def _target(path: str, query: str | None) -> str:
    try:
        target = quote(path or "/", safe=PATH_SAFE)
        return target if query is None else f"{target}?{quote(query, safe=QUERY_SAFE)}"
    except UnicodeEncodeError:
        raise BadUrl("The address holds characters that are none.") from None


def _fits(port: int, only: int | None) -> bool:
    return _is_web_port(port) if only is None else port == only


def _split_entry(entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::([0-9]{1,5}))?", entry)
    plain = re.fullmatch(r"([^:]*)(?::([0-9]{1,5}))?", entry)
    found = bracketed or plain
    if found is None:
        return entry, None
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"“{entry}” names no port.")
    return found[1], port


def _entry_name(host: str, entry: str) -> str:
    try:
        name = _name(host.removeprefix("*."))
    except BadUrl:
        raise ValueError(f"“{entry}” is neither a host, *.suffix nor a network, with or without a port.") from None
    return f"*.{name}" if host.startswith("*.") else name
