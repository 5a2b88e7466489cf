"""The client for addresses that people give, with the installation's settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured

from gptbuilder.environment import allow_list
from gptbuilder.lib.safe_http.errors import AddressRefused
from gptbuilder.web import outbound
from tests.lib.safe_http.servers import ok, serving


@pytest.fixture(autouse=True)
def new_client() -> Iterator[None]:
    outbound.client.cache_clear()
    yield
    outbound.client.cache_clear()


def test_nothing_of_the_local_network_is_reached_unless_it_is_on_the_list():
    with serving(ok()) as server, pytest.raises(AddressRefused):
        outbound.client().fetch(server.url)


def test_what_is_on_the_list_is_reached(settings):
    with serving(ok(b"x")) as server:
        settings.OUTBOUND_ALLOWED_HOSTS = allow_list([server.place])

        assert outbound.client().fetch(server.url).body == b"x"

        outbound.client().close()


def test_a_list_that_means_nothing_stops_the_start():
    with pytest.raises(ImproperlyConfigured, match="OUTBOUND_ALLOWED_HOSTS: “10"):
        allow_list(["10.0.0.5/8"])
