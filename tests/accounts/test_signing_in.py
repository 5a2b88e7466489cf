"""Signing up, signing in, and forgotten passwords."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from gptbuilder.accounts.models import User
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db

PAGES = [
    "login",
    "signup",
    "password/reset",
    "password/reset/done",
    "confirm-email",
    "inactive",
    "password/reset/key/done",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_before_one_is_inside_have_our_look(page):
    html = Client().get(f"/accounts/{page}/").content.decode()

    assert 'class="door"' in html
    assert "<h1>" in html


@pytest.mark.parametrize("page", ["logout", "password/change", "email", "reauthenticate"])
def test_the_pages_of_one_who_is_inside_have_our_look(as_person, ada, page):
    html = as_person(ada).get(f"/accounts/{page}/").content.decode()

    assert 'class="door"' in html


def test_signing_up_makes_a_member_who_speaks_the_page_s_language():
    client = Client(headers={"Accept-Language": "zh-CN"})

    client.post("/accounts/signup/", {"name": "Dora", "email": "dora@example.org", "password1": PASSWORD})

    dora = User.objects.get(email="dora@example.org")
    assert (dora.name, dora.kind, dora.language) == ("Dora", User.Kind.MEMBER, "zh-hans")
    assert client.session["_auth_user_id"] == dora.pk


def test_signing_up_needs_no_name():
    Client().post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})

    assert str(User.objects.get()) == "dora@example.org"


def test_signing_in_brings_language_and_appearance_along(ada):
    User.objects.filter(pk=ada.pk).update(language="zh-hans", appearance="dark")
    client = Client()

    client.post("/accounts/login/", {"login": ada.email, "password": PASSWORD})

    assert client.cookies["django_language"].value == "zh-hans"
    assert client.cookies["appearance"].value == "dark"


def test_a_wrong_password_is_said_in_words(ada):
    response = Client().post("/accounts/login/", {"login": ada.email, "password": "wrong"})

    assert 'role="alert"' in response.content.decode()


def test_too_many_tries_meet_our_page(ada):
    client = Client()
    for _try in range(11):
        response = client.post("/accounts/login/", {"login": "nobody@example.org", "password": "wrong"})
        if response.status_code == 429:
            break

    html = response.content.decode()
    assert 'class="door"' in html
    assert "Too m" in html


def test_a_forgotten_password_is_chosen_anew_by_mail(ada):
    client = Client()
    client.post("/accounts/password/reset/", {"email": ada.email})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)[1]

    page = client.get(link, follow=True)
    form = {"password1": "another long walk", "password2": "another long walk"}
    client.post(page.request["PATH_INFO"], form)

    ada.refresh_from_db()
    assert mail.outbox[0].subject == "Choose a new password"
    assert "GPTs · testserver" in mail.outbox[0].body
    assert ada.check_password("another long walk")


def test_an_old_link_for_a_password_says_so(ada):
    html = Client().get(f"/accounts/password/reset/key/{ada.pk}-abc-def/").content.decode()

    assert "This link no longer works" in html


def test_administrators_see_people_but_no_links(as_person, mo):
    client = as_person(mo)

    assert client.get("/admin/accounts/user/").status_code == 200
    assert client.get(f"/admin/accounts/user/{mo.pk}/change/").status_code == 200
    assert client.get("/admin/accounts/user/add/").status_code == 200
    assert client.get("/admin/accounts/signinlink/").status_code == 404


def test_where_addresses_are_verified_only_a_confirmed_address_signs_in(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    client = Client()
    client.post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})
    assert "_auth_user_id" not in client.session
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", mail.outbox[0].body)[1]

    early = Client()
    early.post("/accounts/login/", {"login": "dora@example.org", "password": PASSWORD})
    assert "_auth_user_id" not in early.session

    # A scanner that follows the link confirms nothing.
    assert Client().get(link).status_code == 200
    assert not User.objects.get().emailaddress_set.get().verified
    client.post(link)
    late = Client()
    late.post("/accounts/login/", {"login": "dora@example.org", "password": PASSWORD})
    assert late.session["_auth_user_id"] == User.objects.get().pk
