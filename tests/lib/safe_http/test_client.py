"""Fetching what people name, from real servers that mean no good."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gptbuilder.lib.safe_http.client import Client, Limits
from gptbuilder.lib.safe_http.decoding import decoder
from gptbuilder.lib.safe_http.destinations import AllowList
from gptbuilder.lib.safe_http.errors import (
    AddressRefused,
    BadRequest,
    BadUrl,
    FetchFailed,
    Garbage,
    NotResolvable,
    TimedOut,
    TlsFailed,
    TooLarge,
    TooManyRedirects,
    Unreachable,
)
from gptbuilder.lib.safe_http.network import tls_context
from tests.lib.safe_http.servers import Authority, Server, ok, redirect, serving

SMALL = Limits(body_bytes=1000, header_bytes=20_000)
CUT = Limits(body_bytes=1000, cut=True)
SECRET = "sk-very-secret"


def client_of(*servers: Server, **options: object) -> Client:
    return Client(AllowList.parse([server.place for server in servers]), **options)


def loopback(host: str, seconds: float) -> Sequence[str]:
    return ["127.0.0.1"]


# --- What comes back -----------------------------------------------------------------------------


def test_an_answer_comes_back_whole():
    with (
        serving(ok(b"<p>", "Content-Type: Text/HTML; charset=x", "A: 1", "A: 2")) as server,
        client_of(server) as client,
    ):
        response = client.fetch(f"{server.url}/page?q=1#part")

    assert (response.status, response.body, response.truncated) == (200, b"<p>", False)
    assert response.url == f"{server.url}/page?q=1"
    assert response.content_type == "text/html"
    assert response.headers["a"] == "1, 2"


def test_method_headers_and_body_are_sent_as_given():
    with serving(ok()) as server, client_of(server) as client:
        client.fetch(f"{server.url}/x", "PATCH", headers={"Content-Type": "text/plain", "X-U": "ü"}, content=b"hello")

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PATCH /x HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % server.port)
    assert b"\r\ncontent-length: 5\r\n" in head
    assert b"\r\naccept-encoding: gzip, deflate\r\n" in head
    assert "\r\nx-u: ü".encode() in head
    assert body == b"hello"


def test_a_connection_serves_again_and_cookies_are_not_kept():
    with serving(ok(b"x", "Set-Cookie: a=b")) as server, client_of(server) as client:
        client.fetch(server.url)
        client.fetch(server.url)

    assert server.connections == 1
    assert b"cookie" not in server.requests[1].lower()


def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}")
    monkeypatch.setenv("HOME", str(tmp_path))

    with serving(ok()) as proxy, serving(ok()) as server, client_of(server) as client:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        client.fetch(server.url)

    assert proxy.connections == 0
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:])),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("identity", bytes),
    ],
)
def test_a_compressed_body_is_opened(encoding: str, compress: Callable[[bytes], bytes]):
    def answer(request: bytes) -> Iterator[bytes]:
        yield f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nConnection: close\r\n\r\n".encode()
        for byte in compress(b"hello, world"):
            yield bytes([byte])

    with serving(answer) as server, client_of(server) as client:
        assert client.fetch(server.url).body == b"hello, world"


# --- Where it may go -----------------------------------------------------------------------------


def test_the_loopback_is_refused_before_a_connection():
    with serving(ok()) as server, Client() as client, pytest.raises(AddressRefused):
        client.fetch(server.url)

    assert server.connections == 0


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data/", "//127.0.0.1:1024/", "http://[::1]:8080/", "http://localhost:8080/"],
)
def test_a_redirect_into_the_local_network_is_refused(location: str):
    with serving(redirect(location)) as server, client_of(server) as client, pytest.raises(AddressRefused):
        client.fetch(server.url)


def test_a_redirect_to_another_port_of_an_allowed_host_is_refused():
    with (
        serving(ok()) as inner,
        serving(redirect(inner.url)) as outer,
        client_of(outer) as client,
        pytest.raises(AddressRefused),
    ):
        client.fetch(outer.url)

    assert inner.connections == 0


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://user@127.0.0.1/", "http://[::1"]
)
def test_a_redirect_to_what_is_no_address_is_an_error(location: str):
    with serving(redirect(location)) as server, client_of(server) as client, pytest.raises(BadUrl):
        client.fetch(server.url)


def test_a_name_that_moves_to_the_loopback_after_its_check_is_refused():
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])

    with serving(ok()) as server, Client(resolve=lambda host, seconds: next(answers)) as client:
        client.check(f"http://rebind.example.com:{server.port}/")
        with pytest.raises(AddressRefused):
            client.fetch(f"http://rebind.example.com:{server.port}/")

    assert server.connections == 0


def test_the_address_that_was_checked_is_the_one_connected_to():
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    with serving(ok()) as server, client_of(server, resolve=lambda host, seconds: next(answers)) as client:
        client.fetch(f"http://rebind.example.com:{server.port}/")

    assert b"\r\nhost: rebind.example.com:" in server.requests[0]
    assert next(answers) == ["127.0.0.2"]


def test_a_host_with_one_bad_address_is_not_connected_to_at_its_good_one():
    with (
        serving(ok()) as server,
        client_of(server, resolve=lambda host, seconds: ["127.0.0.1", "10.0.0.1"]) as client,
        pytest.raises(AddressRefused),
    ):
        client.fetch(f"http://two.example.com:{server.port}/")

    assert server.connections == 0


def test_the_next_address_is_tried_when_the_first_is_down():
    with serving(ok(b"x")) as server:
        allowed = AllowList.parse([server.place, f"127.0.0.9:{server.port}"])
        with Client(allowed, resolve=lambda host, seconds: ["127.0.0.9", "127.0.0.1"]) as client:
            assert client.fetch(f"http://two.example.com:{server.port}/").body == b"x"


def test_a_port_where_nobody_listens_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with Client(AllowList.parse([f"127.0.0.1:{port}"])) as client, pytest.raises(Unreachable):
        client.fetch(f"http://127.0.0.1:{port}/")


def test_a_name_without_an_address_is_not_resolvable():
    with Client(resolve=lambda host, seconds: []) as client, pytest.raises(NotResolvable):
        client.fetch("http://nowhere.example.com/")


# --- Redirects -----------------------------------------------------------------------------------


def routed(routes: dict[str, bytes]) -> Callable[[bytes], bytes]:
    return lambda request: routes[request.split(b" ")[1].decode()]


def test_redirects_are_followed_to_the_end():
    routes = {"/a/b": redirect("c?d"), "/a/c?d": redirect("/é"), "/%C3%A9": ok(b"here")}

    with serving(routed(routes)) as server, client_of(server) as client:
        response = client.fetch(f"{server.url}/a/b")

    assert (response.body, response.url) == (b"here", f"{server.url}/%C3%A9")


def test_a_loop_of_redirects_ends():
    with serving(redirect("/")) as server, client_of(server) as client, pytest.raises(TooManyRedirects):
        client.fetch(server.url, limits=Limits(redirects=3))

    assert len(server.requests) == 4


def test_redirects_are_not_followed_where_none_are_wanted():
    with serving(redirect("http://169.254.169.254/")) as server, client_of(server) as client:
        response = client.fetch(server.url, limits=Limits(redirects=0))

    assert (response.status, response.headers["location"]) == (302, "http://169.254.169.254/")


def test_credentials_are_sent_to_their_own_origin_only():
    headers = {"Authorization": SECRET, "COOKIE": SECRET, "X-Token": SECRET, "X-Api-Key": SECRET, "X-Plain": "plain"}

    with (
        serving(ok()) as stranger,
        serving(routed({"/": redirect("/on"), "/on": redirect(stranger.url)})) as server,
        client_of(server, stranger) as client,
    ):
        client.fetch(server.url, headers=headers, secret_headers=["x-TOKEN"])

    assert [request.count(SECRET.encode()) for request in server.requests] == [4, 4]
    assert SECRET.encode() not in stranger.requests[0]
    assert b"x-plain: plain" in stranger.requests[0]


def test_credentials_do_not_come_back_by_a_way_around():
    with (
        serving(lambda request: redirect(f"http://127.0.0.1:{home.port}/end")) as stranger,
        serving(lambda request: ok() if b"/end" in request else redirect(stranger.url)) as home,
        client_of(home, stranger) as client,
    ):
        client.fetch(home.url, headers={"Authorization": SECRET})

    assert [SECRET.encode() in request for request in home.requests] == [True, False]


@pytest.mark.parametrize(
    ("method", "status", "sent"),
    [
        ("POST", 307, [b"POST / ", b"POST /on "]),
        ("PUT", 308, [b"PUT / ", b"PUT /on "]),
        ("POST", 303, [b"POST / ", b"GET /on "]),
        ("POST", 302, [b"POST / ", b"GET /on "]),
        ("PUT", 303, [b"PUT / ", b"GET /on "]),
        ("PUT", 302, [b"PUT / "]),
        ("DELETE", 301, [b"DELETE / "]),
        ("HEAD", 302, [b"HEAD / ", b"HEAD /on "]),
    ],
)
def test_what_a_redirect_within_an_origin_sends_again(method: str, status: int, sent: list[bytes]):
    answers = routed({"/": redirect("/on", status), "/on": b"HTTP/1.1 204 Done\r\n\r\n"})
    content = b"" if method == "HEAD" else b"the body"

    with serving(answers) as server, client_of(server) as client:
        response = client.fetch(server.url, method, headers={"Content-Type": "text/plain"}, content=content)

    assert [request[: len(start)] for request, start in zip(server.requests, sent, strict=True)] == sent
    assert response.status == (204 if len(sent) == 2 else status)
    for request in server.requests:
        assert (b"the body" in request) == (request.startswith(method.encode()) and method != "HEAD")
        assert (b"content-type" in request) == request.startswith(method.encode())


@pytest.mark.parametrize(("status", "requests"), [(307, 0), (308, 0), (303, 1), (302, 1)])
def test_a_body_is_never_sent_to_another_origin(status: int, requests: int):
    with (
        serving(ok()) as stranger,
        serving(lambda _: redirect(stranger.url, status)) as server,
        client_of(server, stranger) as client,
    ):
        client.fetch(server.url, "POST", content=b"the body")

    assert len(stranger.requests) == requests
    assert all(b"the body" not in request for request in stranger.requests)


# --- Too much and too slow -----------------------------------------------------------------------


def test_a_bomb_is_neither_opened_nor_accepted():
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(100)) + packer.flush()

    with serving(ok(bomb, "Content-Encoding: gzip")) as server, client_of(server) as client:
        with pytest.raises(TooLarge):
            client.fetch(server.url, limits=Limits(body_bytes=100_000, wire_bytes=1024 * 1024))
        cut = client.fetch(server.url, limits=Limits(body_bytes=100_000, wire_bytes=1024 * 1024, cut=True))

    assert (cut.body, cut.truncated) == (bytes(100_000), True)
    assert len(decoder("gzip").decode(bomb, 1000)) == 1000


def test_empty_parts_of_a_compressed_body_come_to_an_end():
    with (
        serving(ok(gzip.compress(b"") * 1001, "Content-Encoding: gzip")) as server,
        client_of(server) as client,
        pytest.raises(Garbage),
    ):
        client.fetch(server.url)


@pytest.mark.parametrize("size", [1000, 1001])
def test_a_body_may_fill_its_limit_exactly(size: int):
    with serving(ok(b"x" * size)) as server, client_of(server, limits=CUT) as client:
        response = client.fetch(server.url)

    assert (len(response.body), response.truncated) == (1000, size > 1000)


def test_an_oversized_body_is_an_error_unless_it_may_be_cut():
    def endless(request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * 65536

    with serving(endless) as server, client_of(server) as client:
        with pytest.raises(TooLarge):
            client.fetch(server.url, limits=SMALL)
        assert client.fetch(server.url, limits=CUT).body == b"x" * 1000


def test_the_frame_of_a_body_counts_as_well():
    def endless(request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"1;" + b"e" * 5000 + b"\r\nx\r\n"

    with serving(endless) as server, client_of(server) as client, pytest.raises(TooLarge):
        client.fetch(server.url, limits=Limits(body_bytes=10_000_000, wire_bytes=200_000))


@pytest.mark.parametrize(
    ("first", "again"),
    [(b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 1000 + b"\r\n"), (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000),
     (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n")],
)  # fmt: skip
def test_a_header_without_an_end_is_too_large(first: bytes, again: bytes):
    def endless(request: bytes) -> Iterator[bytes]:
        yield first
        while True:
            yield again

    with serving(endless) as server, client_of(server) as client, pytest.raises(TooLarge):
        client.fetch(server.url, limits=SMALL)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize("cut", [True, False])
def test_a_drip_ends_at_the_deadline(start: bytes, cut: bool):
    def drip(request: bytes) -> Iterator[bytes]:
        yield start
        while not server.closing.wait(0.02):
            yield b"x" if start else b""

    with serving(drip) as server, client_of(server) as client, pytest.raises(TimedOut):
        client.fetch(server.url, limits=Limits(total_seconds=0.3, cut=cut))


def test_a_deadline_holds_for_redirects_together():
    def slow(request: bytes) -> bytes:
        server.closing.wait(0.1)
        return redirect("/")

    with serving(slow) as server, client_of(server) as client, pytest.raises(TimedOut):
        client.fetch(server.url, limits=Limits(total_seconds=0.4, redirects=1000))


def test_a_body_that_nobody_takes_ends_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Client(AllowList.parse([f"127.0.0.1:{port}"])) as client, pytest.raises(TimedOut):
            client.fetch(
                f"http://127.0.0.1:{port}/", "POST", content=bytes(20_000_000), limits=Limits(total_seconds=0.3)
            )


def test_a_name_server_that_is_silent_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch):
    silent = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: silent.wait(10) and [])

    with Client() as client, pytest.raises(TimedOut):
        client.fetch("http://slow.example.com/", limits=Limits(connect_seconds=0.1))

    silent.set()


def test_a_handshake_that_never_ends_ends_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Client(AllowList.parse([f"127.0.0.1:{port}"])) as client, pytest.raises(TimedOut):
            client.fetch(f"https://127.0.0.1:{port}/", limits=Limits(connect_seconds=0.2))


# --- What is not HTTP ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ok(b"not gzip", "Content-Encoding: gzip"),
        ok(gzip.compress(b"hello")[:-9], "Content-Encoding: gzip"),
        ok(b"x", "Content-Encoding: deflate"),
        ok(b"x", "Content-Encoding: br"),
        ok(gzip.compress(gzip.compress(b"x")), "Content-Encoding: gzip, gzip"),
        ok(gzip.compress(b"x") + b"rest", "Content-Encoding: gzip"),
    ],
    ids=["ssh", "two lengths", "chunks", "no gzip", "cut gzip", "cut deflate", "brotli", "gzip twice", "rest"],
)
def test_an_answer_that_is_not_what_it_says_is_garbage(reply: bytes):
    with serving(reply) as server, client_of(server) as client, pytest.raises(Garbage):
        client.fetch(server.url)


def test_an_answer_that_breaks_off_is_garbage():
    def broken(request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"

    with serving(broken) as server, client_of(server) as client, pytest.raises(Garbage):
        client.fetch(server.url)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("CONNECT", {}),
        ("GET / HTTP/1.1\r\nX:", {}),
        ("get", {}),
        ("GET", {"Host": "127.0.0.1"}),
        ("POST", {"transfer-encoding": "chunked"}),
        ("POST", {"Content-Length": "0"}),
        ("GET", {"X": "a\r\nHost: b"}),
        ("GET", {"X": "a\n"}),
        ("GET", {"X\r\nY": "a"}),
        ("GET", {"": "a"}),
    ],
)
def test_a_request_that_would_be_another_one_is_not_sent(method: str, headers: dict[str, str]):
    with serving(ok()) as server, client_of(server) as client, pytest.raises(BadRequest):
        client.fetch(server.url, method, headers=headers)

    assert server.requests == []


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("certificates"))


def test_a_certificate_is_checked_for_the_name_while_the_connection_goes_to_the_address(authority: Authority):
    asked: list[str | None] = []
    tls = authority.server("shop.example.com")
    tls.sni_callback = lambda _, name, __: asked.append(name)

    with serving(ok(b"x"), tls) as server, client_of(server, resolve=loopback, tls=authority.trust) as client:
        assert client.fetch(f"https://shop.example.com.:{server.port}/").body == b"x"

    assert asked == ["shop.example.com"]


def test_a_certificate_for_an_address_is_valid_for_it(authority: Authority):
    with serving(ok(b"x"), authority.server("127.0.0.1")) as server, client_of(server, tls=authority.trust) as client:
        assert client.fetch(f"https://127.0.0.1:{server.port}/").body == b"x"


@pytest.mark.parametrize(("name", "days"), [("other.example.com", 1), ("shop.example.com", -1)])
def test_a_certificate_of_another_name_or_time_is_refused(authority: Authority, name: str, days: int):
    with (
        serving(ok(), authority.server(name, days)) as server,
        client_of(server, resolve=loopback, tls=authority.trust) as client,
        pytest.raises(TlsFailed),
    ):
        client.fetch(f"https://shop.example.com:{server.port}/")

    assert server.requests == []


def test_a_certificate_nobody_vouches_for_is_refused(authority: Authority):
    with (
        serving(ok(), authority.server("shop.example.com")) as server,
        client_of(server, resolve=loopback) as client,
        pytest.raises(TlsFailed, match="not valid"),
    ):
        client.fetch(f"https://shop.example.com:{server.port}/")


def test_a_server_without_tls_is_told_apart():
    with serving(ok()) as server, client_of(server) as client, pytest.raises(TlsFailed, match="no TLS"):
        client.fetch(f"https://127.0.0.1:{server.port}/")


def test_a_redirect_from_https_to_http_is_refused(authority: Authority):
    with (
        serving(ok()) as plain,
        serving(redirect(plain.url), authority.server("127.0.0.1")) as server,
        client_of(server, plain, tls=authority.trust) as client,
        pytest.raises(AddressRefused),
    ):
        client.fetch(f"https://127.0.0.1:{server.port}/")

    assert plain.connections == 0


def test_trust_is_built_once():
    assert tls_context() is tls_context()
    assert tls_context().verify_mode is ssl.CERT_REQUIRED
    assert tls_context().check_hostname


# --- What errors tell ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        redirect(f"http://10.0.0.1/{SECRET}?key={SECRET}"),
        redirect(f"ftp://{SECRET}/"),
        redirect(f"/?{SECRET}"),
        f"{SECRET}\r\n\r\n".encode(),
        ok(SECRET.encode(), "Content-Encoding: gzip"),
        ok(SECRET.encode() * 1000),
    ],
    ids=["refused", "no address", "loop", "no HTTP", "no gzip", "too large"],
)
def test_an_error_tells_no_secret(reply: bytes):
    with serving(reply) as server, client_of(server, limits=SMALL) as client, pytest.raises(FetchFailed) as caught:
        client.fetch(f"{server.url}/{SECRET}?key={SECRET}", headers={"Authorization": SECRET})

    assert SECRET not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_every_failure_has_a_code_of_its_own():
    kinds = FetchFailed.__subclasses__()

    assert len({kind.code for kind in kinds}) == len(kinds)
