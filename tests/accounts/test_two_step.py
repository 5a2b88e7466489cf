"""Two-step sign-in: an app's codes, recovery codes, and what guessing meets."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


def code_of(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def prove(client: Client) -> None:
    """Say the password again, as the pages about keys ask for."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


@pytest.fixture
def protected(as_person, ada):
    """Ada with an app: the secret and her recovery codes."""
    client = as_person(ada)
    prove(client)
    page = client.get("/accounts/two-step/totp/activate/").content.decode()
    secret = re.search(r'id="secret" value="(\w+)"', page)[1]
    done = client.post("/accounts/two-step/totp/activate/", {"code": code_of(secret, -1)}, follow=True)
    return secret, re.findall(
        r"^(?:<pre[^>]*>)?(\d{8})$", re.sub(r".*<pre", "<pre", done.content.decode()), re.MULTILINE
    )


def first_step(person) -> Client:
    client = Client()
    response = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert response.url == "/accounts/two-step/authenticate/"
    assert "_auth_user_id" not in client.session
    return client


def enter(client: Client, code: str) -> bool:
    client.post("/accounts/two-step/authenticate/", {"code": code})
    return "_auth_user_id" in client.session


def test_turning_it_on_asks_for_the_password_first(as_person, ada):
    assert "/accounts/reauthenticate/" in as_person(ada).get("/accounts/two-step/totp/activate/").url


def test_the_password_alone_no_longer_signs_in(ada, protected):
    secret, _codes = protected

    assert enter(first_step(ada), code_of(secret))


def test_a_code_of_the_app_is_good_once(ada, protected):
    secret, _codes = protected
    code = code_of(secret)

    assert enter(first_step(ada), code)
    assert not enter(first_step(ada), code)


def test_a_recovery_code_is_good_once(ada, protected):
    _secret, codes = protected

    assert len(codes) == 10
    assert enter(first_step(ada), codes[0])
    assert not enter(first_step(ada), codes[0])
    assert enter(first_step(ada), codes[1])


def test_recovery_codes_are_shown_once(as_person, ada, protected):
    _secret, codes = protected
    client = as_person(ada)
    prove(client)

    page = client.get("/accounts/two-step/recovery-codes/").content.decode()

    assert not any(code in page for code in codes)
    assert "cannot be shown again" in page


def test_guessing_codes_meets_a_limit_that_a_right_code_does_not_pass(ada, protected):
    secret, _codes = protected
    client = first_step(ada)
    for number in range(6):
        assert not enter(client, f"00000{number}")

    assert not enter(client, code_of(secret))


def test_the_limit_counts_over_browsers(ada, protected):
    secret, _codes = protected
    for number in range(6):
        enter(first_step(ada), f"00000{number}")

    assert not enter(first_step(ada), code_of(secret))


def test_the_secrets_are_sealed_in_the_database(ada, protected):
    secret, codes = protected

    stored = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in stored
    assert not any(code in stored for code in codes)


def test_turning_it_off_is_told_by_mail(as_person, ada, protected):
    client = as_person(ada)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/two-step/totp/deactivate/")

    assert not Authenticator.objects.exists()
    assert "two_step_off" in ada.notifications.values_list("kind", flat=True)


def test_a_stranger_reaches_no_key_of_mine(as_person, ada, cleo):
    key = Authenticator.objects.create(user=ada, type="webauthn", data={"name": "Phone", "credential": {}})
    client = as_person(cleo)
    prove(client)

    assert client.get(f"/accounts/two-step/webauthn/keys/{key.pk}/edit/").status_code == 404
    assert client.post(f"/accounts/two-step/webauthn/keys/{key.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_the_overviews_are_parts_of_the_settings(as_person, ada):
    client = as_person(ada)

    assert client.get("/accounts/two-step/").url == "/settings/#two-step"
    assert client.get("/accounts/two-step/webauthn/").url == "/settings/#passkeys"
