"""Signing in with the company's identity provider: a real one, in a process of its own."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from gptbuilder.accounts.models import User
from gptbuilder.settings import oidc_providers
from tests.identity_provider.running import entry, identity_provider
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db

CALLBACK = "http://testserver/accounts/oidc/lakeside/login/callback/"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with identity_provider(tmp_path_factory.mktemp("provider"), CALLBACK) as address:
        yield address


@pytest.fixture(autouse=True)
def configured(provider, settings):
    configure(settings, provider)


def configure(settings, provider: str, link_by_email: bool = False) -> None:
    found = entry(provider, link_by_email=link_by_email)
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": found["id"],
                    "name": found["name"],
                    "client_id": found["client_id"],
                    "secret": found["secret"],
                    "settings": {"server_url": found["server_url"], "email_authentication": link_by_email},
                }
            ],
        }
    }


def go_there(client: Client, name: str, query: str = "") -> str:
    """Press our button, sign in there; the address we are sent back to."""
    page = client.post(f"/accounts/oidc/lakeside/login/{query}").content.decode()
    address = re.search(r'class="button primary tall" href="([^"]+)"', page)[1].replace("&amp;", "&")
    with httpx.Client(trust_env=False) as browser:
        form = browser.get(address)
        while form.is_redirect:
            form = browser.get(urljoin(str(form.url), form.headers["Location"]))
        following = re.search(r'name="next" value="([^"]*)"', form.text)[1].replace("&amp;", "&")
        answer = browser.post(form.url, data={"name": name, "password": f"{name}'s password", "next": following})
        back = browser.get(urljoin(str(form.url), answer.headers["Location"]))
    return back.headers["Location"].removeprefix("http://testserver")


def sign_in(client: Client, name: str, query: str = ""):
    return client.get(go_there(client, name, query))


def test_the_button_stands_on_the_sign_in_page():
    html = Client().get("/accounts/login/").content.decode()

    assert "Sign in with Lakeside" in html


def test_our_answer_to_the_form_is_a_page_of_ours():
    """Chromium would block a redirect to another origin: the policy says form-action 'self'."""
    response = Client().post("/accounts/oidc/lakeside/login/")

    assert response.status_code == 200
    assert "<follow-link" in response.content.decode()
    assert "code_challenge" in response.content.decode()


def test_a_visit_alone_starts_nothing():
    """Else a picture on another site could sign somebody in to a stranger's account."""
    html = Client().get("/accounts/oidc/lakeside/login/").content.decode()

    assert "<follow-link" not in html
    assert "<form" in html


def test_a_new_person_gets_an_account_with_name_and_address():
    client = Client(headers={"Accept-Language": "zh-CN"})
    sign_in(client, "dora")

    dora = User.objects.get()
    assert (dora.name, dora.email, dora.kind) == ("Dora Lake", "dora@example.org", User.Kind.MEMBER)
    assert not dora.has_usable_password()
    assert client.session["_auth_user_id"] == dora.pk
    assert EmailAddress.objects.get().verified


def test_the_same_person_comes_back_to_the_same_account():
    sign_in(Client(), "dora")
    sign_in(Client(), "dora")

    assert User.objects.count() == 1


def test_an_answer_is_good_once_and_in_one_browser():
    client = Client()
    back = go_there(client, "dora")

    assert "did not work" in Client().get(back).content.decode()
    client.get(back)
    client.logout()
    assert "did not work" in client.get(back).content.decode()
    assert User.objects.count() == 1


def test_an_account_with_the_address_is_not_linked_unless_the_setting_says_so(ada):
    client = Client()
    response = sign_in(client, "ada")

    assert "_auth_user_id" not in client.session
    assert not SocialAccount.objects.exists()
    page = client.get(response.url).content.decode()
    assert "sign in to it first and connect Lakeside" in page


def test_with_the_setting_a_verified_address_is_linked(ada, settings, provider):
    configure(settings, provider, link_by_email=True)
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True, primary=True)
    client = Client()
    sign_in(client, "ada")

    assert client.session["_auth_user_id"] == ada.pk
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    assert "connection_added" in ada.notifications.values_list("kind", flat=True)


def test_an_address_the_provider_did_not_verify_is_never_linked(ada, settings, provider):
    configure(settings, provider, link_by_email=True)
    client = Client()
    sign_in(client, "mallory")

    assert "_auth_user_id" not in client.session
    assert not SocialAccount.objects.exists()


def test_whoever_made_the_account_before_its_owner_keeps_no_key_to_it(ada, settings, provider):
    """Somebody signed up with an address that is not theirs, added a passkey, and waits."""
    configure(settings, provider, link_by_email=True)
    EmailAddress.objects.create(user=ada, email=ada.email, verified=False, primary=True)
    Authenticator.objects.create(user=ada, type="webauthn", data={"name": "Waiting", "credential": {}})
    waiting = Client()
    waiting.force_login(ada, backend="gptbuilder.accounts.backends.PageBackend")
    waiting.get("/settings/")
    client = Client()
    sign_in(client, "ada")

    ada.refresh_from_db()
    assert client.session["_auth_user_id"] == ada.pk
    assert not ada.has_usable_password()
    assert not Authenticator.objects.exists()
    assert waiting.get("/settings/").status_code == 302


def test_a_closed_account_is_not_entered_this_way(settings, provider):
    sign_in(Client(), "dora")
    User.objects.update(is_active=False)
    client = Client()
    sign_in(client, "dora")

    assert "_auth_user_id" not in client.session


def test_it_is_connected_and_disconnected_in_the_settings(as_person, ada):
    client = as_person(ada)
    sign_in(client, "dora", "?process=connect")
    account = SocialAccount.objects.get(user=ada)
    assert "dora@example.org" in client.get("/settings/").content.decode()

    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/connections/", {"account": account.pk})

    assert not SocialAccount.objects.exists()


def test_the_connection_of_another_is_not_taken_away(as_person, ada, cleo):
    sign_in(as_person(ada), "dora", "?process=connect")
    account = SocialAccount.objects.get(user=ada)
    client = as_person(cleo)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    client.post("/accounts/connections/", {"account": account.pk})

    assert SocialAccount.objects.filter(pk=account.pk, user=ada).exists()


def test_without_an_address_one_is_asked_for():
    client = Client()
    response = sign_in(client, "nameless")
    client.post(response.url, {"email": "nameless@example.org"})

    assert User.objects.get().email == "nameless@example.org"


def test_a_provider_that_is_away_is_said(settings, provider):
    configure(settings, "http://127.0.0.1:9")

    response = Client().post("/accounts/oidc/lakeside/login/")

    assert response.status_code == 502
    assert "does not answer" in response.content.decode()


def test_an_unknown_provider_is_not_found():
    assert Client().post("/accounts/oidc/elsewhere/login/").status_code == 404
    assert Client().get("/accounts/oidc/elsewhere/login/callback/").status_code == 404


@pytest.mark.parametrize("text", ["{", "[1]", '[{"id": "x"}]', "{}x"])
def test_a_setting_that_cannot_be_read_is_refused_at_the_start(text):
    with pytest.raises(ImproperlyConfigured, match="OIDC_PROVIDERS"):
        oidc_providers(text)
