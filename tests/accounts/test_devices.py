"""Where one is signed in, in plain words, and ending it."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from gptbuilder.accounts import devices
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36": "Chrome on Windows",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0": "Edge on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/18 Safari/605.1": "Safari on macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Mobile Safari/604.1": "Safari on iPhone",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36": "Chrome on Android",
    "": "an unknown device",
    "curl/8.0": "an unknown device",
}


@pytest.mark.parametrize(("agent", "words"), AGENTS.items())
def test_a_device_has_plain_words(agent, words):
    assert devices.describe(agent) == words


def sign_in(person) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def test_each_browser_stands_in_the_list_this_one_first(ada):
    sign_in(ada)
    here = sign_in(ada)

    found = devices.sessions(ada, here.session.session_key)

    assert [device.is_here for device in found] == [True, False]
    assert "End all others" in here.get("/settings/").content.decode()


def test_one_session_is_ended(ada):
    there, here = sign_in(ada), sign_in(ada)
    pk = UserSession.objects.get(session_key=there.session.session_key).pk

    here.post(f"/settings/sessions/{pk}/end/")

    assert there.get("/settings/").status_code == 302
    assert here.get("/settings/").status_code == 200


def test_all_others_are_ended(ada):
    others, here = [sign_in(ada), sign_in(ada)], sign_in(ada)

    here.post("/settings/sessions/end-others/")

    assert [other.get("/settings/").status_code for other in others] == [302, 302]
    assert here.get("/settings/").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(ada, cleo):
    mine = sign_in(ada)
    pk = UserSession.objects.get(user=ada).pk

    assert sign_in(cleo).post(f"/settings/sessions/{pk}/end/").status_code == 404
    assert mine.get("/settings/").status_code == 200


def test_a_session_that_began_without_the_form_is_listed_too(as_person, ada):
    client = as_person(ada)
    client.get("/settings/")

    assert [device.is_here for device in devices.sessions(ada, client.session.session_key)] == [True]


def test_a_new_password_keeps_this_session_only(ada):
    there, here = sign_in(ada), sign_in(ada)
    form = {"oldpassword": PASSWORD, "password1": "another long walk", "password2": "another long walk"}

    here.post("/accounts/password/change/", form)

    assert there.get("/settings/").status_code == 302
    assert len(devices.sessions(ada, here.session.session_key)) == 1


def test_a_connection_without_an_address_can_sign_in(ada):
    client = Client(REMOTE_ADDR="")
    client.post("/accounts/login/", {"login": ada.email, "password": PASSWORD})

    assert client.session["_auth_user_id"] == ada.pk
    assert devices.sessions(ada, None)[0].address == ""
