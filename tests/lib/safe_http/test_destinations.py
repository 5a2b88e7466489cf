"""Which addresses the server may connect to."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.lib.safe_http import addresses
from gptbuilder.lib.safe_http.destinations import AllowList, check, parse
from gptbuilder.lib.safe_http.errors import AddressRefused, BadUrl, FetchFailed, NotResolvable

pytest_plugins = ["tests.devdata"]

PUBLIC = "93.184.215.14"


class Names:
    """A name server of the test's own; what it does not know has no address."""

    def __init__(self, **names: list[str]) -> None:
        self.names = {name.replace("_", "."): found for name, found in names.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, seconds: float) -> Sequence[str]:
        self.asked.append(host)
        return self.names.get(host, [])


def test_the_cases_that_others_collected_are_decided_as_they_say(devdata: Path):
    cases = json.loads((devdata / "security/ssrf-cases.json").read_text())

    wrong = [case for case in cases if verdict(case["url"], case.get("dns", {})) != case["expect"]]

    assert len(cases) >= 75
    assert wrong == []


def verdict(url: str, names: dict[str, list[str]]) -> str:
    try:
        check(url, resolve=lambda host, seconds: names.get(host, []))
    except FetchFailed:
        return "deny"
    return "allow"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0",
        "192.0.0.192", "192.0.2.5", "198.18.0.1", "198.19.255.255", "203.0.113.9", "224.0.0.251", "239.255.255.250",
        "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1", "127.0.0.1.",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::ffff:0:127.0.0.1]", "[::127.0.0.1]",
        "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "[ff02::1]", "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::10.0.0.1]", "[2002:a00:1::1]", "[2001:0:a00:1::]", "[2001:db8::1]", "[2001:2::1]", "[2001:10::1]",
        "[3fff::1]", "[100::1]", "[5f00::1]", "[4000::1]", "[2606:4700::200:5efe:10.0.0.1]",
        "localhost", "a.localhost", "LOCALHOST.", "db", "wiki.corp", "printer.local", "metadata.google.internal",
        "kubernetes.default.svc", "router.home.arpa",
    ],
)  # fmt: skip
def test_places_that_are_not_public_are_refused(host: str):
    with pytest.raises(AddressRefused):
        check(f"http://{host}/", resolve=Names())


@pytest.mark.parametrize(
    "host",
    ["1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700:4700::1111]", "[2001:4860:4860::8888]", "[::ffff:1.1.1.1]",
     "[64:ff9b::1.1.1.1]", "1.1.1.1."],
)  # fmt: skip
def test_public_addresses_are_allowed(host: str):
    assert check(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0177.0.0.1/", "http://0x7f000001/", "http://127.1/", "http://1.1.1/", "http://0/",
        "http://1.1.1.1.1/", "http://1.1.1.256/", "http://01.1.1.1/", "http://example.0x7f/", "http://example.1/",
        "http://user@example.com/", "http://user:password@example.com/", "http://@example.com/", "http://:80/", "http:///x",
        "http://example.com:/", "http://example.com:0/", "http://example.com:65536/", "http://example.com:8o/",
        "http://example.com:+80/", "http://example.com:８０/", "http://example..com/", "http://.example.com/",
        "http://example.com../", "http://-a.com/", "http://a b.com/", "http://exa%6dple.com/", "http://a\\b.com/",
        "http://[::1/", "http://::1/", "http://[::1%25lo]/", "http://[v1.a]/", "http://[127.0.0.1]/", "http://[::1]x/",
        "http://example.com\n/", "http://example.com/\r\nx", "http://example.com/\x00", " http://example.com/",
        "http:example.com/", "http:/example.com/", "//example.com/", "example.com", "", "file:///etc/passwd",
        "gopher://example.com/", "ws://example.com/", "httpx://example.com/", "http+unix://example.com/", "hſtp://example.com/",
        "http://☃\u200d.com/", "http://xn--" + "a" * 60 + ".com/", "http://" + "a." * 130 + "com/",
        "http://example.com/" + "a" * 9000, "http://example.com/\ud800", "http://\ud800.com/", "http://example.com＠127.0.0.1/",
        "http://example.com／@127.0.0.1/", "http://example.com：22/",
    ],
)  # fmt: skip
def test_what_programs_could_read_in_two_ways_is_no_address(url: str):
    with pytest.raises(BadUrl):
        parse(url)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("http://example.com.:80/a", "http://example.com/a"),
        ("https://example.com:443?q", "https://example.com/?q"),
        ("https://example.com:8443/a?b#c@d", "https://example.com:8443/a?b"),
        ("https://bücher.example.org/ü?ü=ü&a[]=1", "https://xn--bcher-kva.example.org/%C3%BC?%C3%BC=%C3%BC&a[]=1"),
        ("https://例え.jp/", "https://xn--r8jz45g.jp/"),
        ("http://ｅｘａｍｐｌｅ。ｃｏｍ/", "http://example.com/"),
        ("http://①.①.①.①/", "http://1.1.1.1/"),
        ("http://example.com/a b%20c\\d", "http://example.com/a%20b%20c\\d"),
        ("https://[2606:4700:0:0::1111]:8443/", "https://[2606:4700::1111]:8443/"),
        ("http://a_b.example.com/@x:y//z", "http://a_b.example.com/@x:y//z"),
    ],
)
def test_an_address_is_read_once_and_for_all(url: str, read: str):
    destination = parse(url)

    assert destination.url == read
    assert parse(destination.url) == destination


@pytest.mark.parametrize("port", [80, 443, 1024, 3000, 8000, 8080, 8443, 65535])
def test_ports_of_the_web_are_open(port: int):
    assert check(f"http://1.1.1.1:{port}/").port == port


@pytest.mark.parametrize("port", [1, 21, 22, 23, 25, 53, 81, 110, 445, 993, 1023, 2375, 3306, 5432, 6379, 9200, 11211])
def test_ports_of_other_services_are_closed(port: int):
    with pytest.raises(AddressRefused, match=f"Port {port}"):
        check(f"http://1.1.1.1:{port}/")


def test_one_bad_address_refuses_a_host():
    names = Names(two_example_com=[PUBLIC, "127.0.0.1"], six_example_com=["2606:4700::1", "fe80::1%eth0"])

    for host in ("two.example.com", "six.example.com"):
        with pytest.raises(AddressRefused):
            check(f"http://{host}/", resolve=names)


def test_a_name_without_an_address_is_not_resolvable():
    with pytest.raises(NotResolvable):
        check("http://nowhere.example.com/", resolve=Names())


def test_a_local_name_is_not_even_looked_up():
    names = Names()

    with pytest.raises(AddressRefused):
        check("http://db.internal/", resolve=names)

    assert names.asked == []


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,40}(:[0-9]{0,6})?/?", fullmatch=True))
def test_any_text_is_read_or_refused_and_what_was_read_stays_the_same(text: str):
    try:
        destination = parse(text)
    except BadUrl:
        return

    assert destination.url.isascii()
    assert parse(destination.url) == destination


@given(st.ip_addresses())
def test_no_address_of_a_local_network_is_public(address: addresses.Address):
    if addresses.is_public(addresses.read(str(address))):
        assert address.is_global or address.ipv4_mapped or address in addresses.NAT64


def test_the_machines_own_addresses_are_not_public():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((PUBLIC, 443))
        except OSError:
            own = "127.0.0.1"
        else:
            own = probe.getsockname()[0]

    assert addresses._is_this_machine(addresses.read(own))
    assert not addresses._is_this_machine(addresses.read(PUBLIC))


def test_the_system_knows_itself_and_no_invalid_name():
    assert "127.0.0.1" in addresses.resolve("localhost", 10)
    assert addresses.resolve("127.0.0.1", 10) == ["127.0.0.1"]


# --- The allow-list ------------------------------------------------------------------------------


def allowed(url: str, *entries: str, **names: list[str]) -> bool:
    try:
        check(url, AllowList.parse(entries), Names(**names))
    except AddressRefused:
        return False
    return True


def test_a_name_on_the_list_may_lead_into_the_local_network():
    assert allowed("http://wiki.corp/", "wiki.corp", wiki_corp=["10.0.0.5"])
    assert allowed("http://WIKI.corp.:8080/", "Wiki.Corp", wiki_corp=["10.0.0.5", "fd00::5"])
    assert allowed("http://db/", "db", db=["172.17.0.2"])
    assert not allowed("http://other.corp/", "wiki.corp", other_corp=["10.0.0.5"])
    assert not allowed("http://xwiki.corp/", "wiki.corp", xwiki_corp=["10.0.0.5"])


def test_a_suffix_means_the_names_below_it():
    assert allowed("http://a.b.corp/", "*.corp", a_b_corp=["10.0.0.5"])
    assert not allowed("http://corp/", "*.corp", corp=["10.0.0.5"])
    assert not allowed("http://acorp/", "*.corp", acorp=["10.0.0.5"])


def test_a_network_on_the_list_is_allowed_by_address_and_by_name():
    assert allowed("http://10.1.2.3/", "10.1.0.0/16")
    assert allowed("http://[::ffff:10.1.2.3]/", "10.1.0.0/16")
    assert allowed("http://wiki.example.com/", "10.1.0.0/16", wiki_example_com=["10.1.2.3", PUBLIC])
    assert allowed("http://[fd00::1]/", "fd00::/8")
    assert not allowed("http://wiki.example.com/", "10.1.0.0/16", wiki_example_com=["10.1.2.3", "10.2.0.1"])


def test_an_entry_with_a_port_opens_that_port_only():
    assert allowed("http://10.0.0.5:9200/", "10.0.0.5:9200")
    assert allowed("http://[fd00::1]:9200/", "[fd00::/8]:9200")
    assert allowed("http://search.corp:9200/", "search.corp:9200", search_corp=["10.0.0.5"])
    assert not allowed("http://10.0.0.5:9201/", "10.0.0.5:9200")
    assert not allowed("http://10.0.0.5/", "10.0.0.5:9200")
    assert not allowed("http://search.corp/", "search.corp:9200", search_corp=["10.0.0.5"])


def test_an_entry_without_a_port_opens_the_ports_of_the_web():
    assert allowed("http://10.0.0.5:8080/", "10.0.0.5")
    assert not allowed("http://10.0.0.5:6379/", "10.0.0.5")


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"])
def test_a_name_on_the_list_never_leads_to_a_machines_metadata(address: str):
    assert not allowed("http://wiki.corp/", "wiki.corp", wiki_corp=[address])


@pytest.mark.parametrize(
    "entry",
    ["", "*", "*.", "*corp", "10.0.0.5/8", "10.0.0.0/33", "http://wiki", "wiki/x", "a b", "127.1", "wiki:0",
     "wiki:99999", "wiki:x", "[::1", "[wiki", "user@wiki"],
)  # fmt: skip
def test_an_entry_that_means_nothing_is_an_error(entry: str):
    with pytest.raises(ValueError, match="“"):
        AllowList.parse([entry])
