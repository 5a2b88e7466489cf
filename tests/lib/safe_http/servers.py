"""Servers on the loopback that answer as a test says, byte by byte, with or without TLS."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# The first byte of a client that wants TLS; a server without it answers to that at once.
TLS_HANDSHAKE = b"\x16"
Answer = Callable[[bytes], bytes | Iterable[bytes]]


@dataclass
class Server:
    """`requests` holds what was received whole, header and body; `connections` counts."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def place(self) -> str:
        """As an entry of an allow-list."""
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def serving(answer: Answer | bytes, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serves one connection after the other, each kept open as long as the client keeps it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        server = Server(listener.getsockname()[1])
        answering = (lambda _: answer) if isinstance(answer, bytes) else answer
        thread = threading.Thread(target=_accept, args=(listener, server, answering, tls), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            thread.join(10)


def ok(body: bytes = b"", *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def _accept(listener: socket.socket, server: Server, answer: Answer, tls: ssl.SSLContext | None) -> None:
    while not server.closing.is_set():
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            server.connections += 1
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                with connection:
                    _converse(connection, server, answer)


def _converse(connection: socket.socket, server: Server, answer: Answer) -> None:
    while request := _request(connection, server):
        server.requests.append(request)
        reply = answer(request)
        for piece in (reply,) if isinstance(reply, bytes) else reply:
            connection.sendall(piece)
        if b"\r\nconnection: close" in request.lower() or not isinstance(reply, bytes):
            return


def _request(connection: socket.socket, server: Server) -> bytes:
    received = b""
    connection.settimeout(0.05)
    while not server.closing.is_set():
        with contextlib.suppress(TimeoutError):
            data = connection.recv(65536)
            if not data:
                return b""
            received += data
        head, end, body = received.partition(b"\r\n\r\n")
        size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if (end and len(body) >= size) or received.startswith(TLS_HANDSHAKE):
            connection.settimeout(10)
            return received
    return b""


# --- Certificates --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authority:
    """Signs certificates; `trust` is a client's context that knows it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(folder, key, _certificate("An authority", key.public_key(), "An authority", key, []))

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode())

    def server(self, name: str, days: int = 1) -> ssl.SSLContext:
        """A server's context with a certificate for `name`, a host or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(name))]
        except ValueError:
            names = [x509.DNSName(name)]
        certificate = _certificate(name, key.public_key(), "An authority", self.key, names, days)
        path = self.folder / f"{name}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _certificate(
    subject: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName],
    days: int = 1,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
