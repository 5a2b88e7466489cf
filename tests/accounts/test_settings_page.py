"""What a person may change about their own account."""

from __future__ import annotations

import pytest
from django.test import Client

from gptbuilder.accounts.models import User
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_visitor_is_sent_to_sign_in():
    assert Client().get("/settings/").url == "/accounts/login/?next=/settings/"


def test_the_name_is_changed(as_person, ada):
    as_person(ada).post("/settings/profile/", {"name": "Ada L."})

    ada.refresh_from_db()
    assert ada.name == "Ada L."


def test_language_and_appearance_are_changed_here_and_in_the_browser(as_person, ada):
    client = as_person(ada)

    client.post("/settings/preferences/", {"language": "zh-hans", "appearance": "dark"})

    ada.refresh_from_db()
    assert (ada.language, ada.appearance) == ("zh-hans", "dark")
    assert client.cookies["django_language"].value == "zh-hans"
    assert client.cookies["appearance"].value == "dark"


def test_a_new_address_needs_the_password(as_person, ada):
    client = as_person(ada)

    refused = client.post("/settings/email/", {"email": "new@example.org", "password": "wrong"})
    client.post("/settings/email/", {"email": "New@example.org", "password": PASSWORD})

    ada.refresh_from_db()
    assert refused.status_code == 422
    assert ada.email == "new@example.org"


def test_the_address_of_somebody_else_is_refused(as_person, ada, ben):
    response = as_person(ada).post("/settings/email/", {"email": ben.email, "password": PASSWORD})

    assert response.status_code == 422
    assert "Another account has this address." in response.content.decode()


def test_where_addresses_are_verified_the_change_waits_for_it(as_person, ada, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"

    response = as_person(ada).post("/settings/email/", {"email": "new@example.org", "password": PASSWORD})

    ada.refresh_from_db()
    assert response.url == "/accounts/email/"
    assert ada.email == "ada@example.org"


def test_a_person_without_a_password_sets_one(as_person):
    administrator = User.objects.create_superuser("admin@localhost")
    client = as_person(administrator)

    page = client.get("/settings/").content.decode()
    client.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD})

    administrator.refresh_from_db()
    assert 'action="/accounts/password/set/"' in page
    assert "Current password" not in page
    assert administrator.check_password(PASSWORD)


def test_the_password_is_changed_and_one_stays_signed_in(as_person, ada):
    client = as_person(ada)
    form = {"oldpassword": PASSWORD, "password1": "another long walk", "password2": "another long walk"}

    response = client.post("/accounts/password/change/", form)

    ada.refresh_from_db()
    assert response.url == "/settings/"
    assert ada.check_password("another long walk")
    assert client.get("/settings/").status_code == 200
