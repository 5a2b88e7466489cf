"""Connections that are checked when they are made, and that end when a request has spent its budget.

httpcore makes every connection through a backend, and hands it the timeouts of the request untouched. Ours are no
numbers but the request's `Budget`, so that one deadline ends all of it, and bytes are counted where they arrive.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, cast

import httpcore
import httpx

from gptbuilder.lib.safe_http.destinations import AllowList, Resolver, permitted
from gptbuilder.lib.safe_http.errors import NotReached, TimedOut, TlsFailed, TooLarge, Unreachable

READ_BYTES = 16_384
# A host may name many addresses; one that is down is down at all of them.
ADDRESSES_TRIED = 4


class Budget:
    """What one request may still take: seconds of the whole, seconds of a connection, and bytes."""

    def __init__(self, total_seconds: float, connect_seconds: float, header_bytes: int) -> None:
        self.connect_seconds = connect_seconds
        self._deadline = time.monotonic() + total_seconds
        self._bytes_left = header_bytes

    def seconds(self) -> float:
        """Until the deadline. Raises TimedOut."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimedOut("The request took too long.")
        return left

    def seconds_to_connect(self) -> float:
        return min(self.seconds(), self.connect_seconds)

    def allow_bytes(self, count: int) -> None:
        """From now on, whatever was left: for the next header, or the body."""
        self._bytes_left = count

    def spend(self, count: int) -> None:
        self._bytes_left -= count

    def require_bytes(self) -> None:
        """Raises TooLarge when none are left. The last read may have gone beyond by READ_BYTES."""
        if self._bytes_left <= 0:
            raise TooLarge("The answer is too large.")


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to nothing else."""

    def __init__(self, allowed: AllowList, resolve: Resolver) -> None:
        self._allowed = allowed
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        budget = cast(Budget, timeout)
        until = time.monotonic() + budget.seconds_to_connect()
        addresses = permitted(host, port, self._allowed, self._resolve, budget.seconds_to_connect())[:ADDRESSES_TRIED]
        failure: TimedOut | NotReached = NotReached(f"{host} cannot be reached.")
        for number, address in enumerate(addresses):
            seconds = (until - time.monotonic()) / (len(addresses) - number)
            try:
                return _Stream(_connected(address, port, max(seconds, 0.001)))
            except TimeoutError:
                failure = TimedOut(f"{host} does not answer.")
            except OSError:
                failure = NotReached(f"{host} cannot be reached.")
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        raise Unreachable("Sockets of the file system are not the web.")


def tls_context() -> ssl.SSLContext:
    """This process's trust: the authorities of certifi and of the system. Built once, for it takes a while."""
    with _building:
        return _tls_context()


class _Stream(httpcore.NetworkStream):
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        budget = cast(Budget, timeout)
        budget.require_bytes()
        try:
            self._socket.settimeout(budget.seconds())
            data = self._socket.recv(min(max_bytes, READ_BYTES))
        except TimeoutError:
            raise TimedOut("The answer took too long.") from None
        except OSError:
            raise Unreachable("The connection was lost.") from None
        budget.spend(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        budget = cast(Budget, timeout)
        rest = memoryview(buffer)
        try:
            while rest:
                self._socket.settimeout(budget.seconds())
                rest = rest[self._socket.send(rest) :]
        except TimeoutError:
            raise TimedOut("The request took too long.") from None
        except OSError as error:
            # httpcore then reads what the server said before it hung up.
            raise httpcore.WriteError from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            # The handshake as a whole has this long.
            self._socket.settimeout(cast(Budget, timeout).seconds_to_connect())
            return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname))
        except TimeoutError:
            self.close()
            raise TimedOut("The connection took too long.") from None
        except (ssl.SSLError, ssl.CertificateError) as error:
            self.close()
            raise TlsFailed(_tls_reason(error)) from None
        except OSError:
            self.close()
            raise Unreachable("The connection was lost.") from None

    def get_extra_info(self, info: str) -> Any:
        # Asked of an idle connection: the server has nothing to say but that it hangs up.
        if info == "is_readable":
            return _is_readable(self._socket)
        return None


def _connected(address: str, port: int, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(seconds)
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    return connection


def _is_readable(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate is not valid: {error.verify_message.rstrip('.')}."
    return "There is no TLS that we speak."


@functools.cache
def _tls_context() -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


_building = threading.Lock()
# A child must not find it taken by a thread that it does not have.
os.register_at_fork(before=_building.acquire, after_in_parent=_building.release, after_in_child=_building.release)
