"""A one-time link signs in one person, once, for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from gptbuilder.accounts import sign_in_links
from gptbuilder.accounts.models import SignInLink, User

pytestmark = pytest.mark.django_db


def test_a_link_finds_its_person_once(ada):
    now = timezone.now()
    token = sign_in_links.make(ada, now)

    assert sign_in_links.use(token, now) == ada
    assert sign_in_links.use(token, now) is None


def test_a_link_ends_after_a_day(ada):
    now = timezone.now()
    token = sign_in_links.make(ada, now)

    assert sign_in_links.use(token, now + timedelta(hours=24)) is None


def test_only_the_hash_is_kept(ada):
    token = sign_in_links.make(ada, timezone.now())

    assert token not in str(SignInLink.objects.values())


def test_a_closed_account_is_not_signed_in(ada):
    now = timezone.now()
    token = sign_in_links.make(ada, now)
    ada.is_active = False
    ada.save()

    assert sign_in_links.use(token, now) is None


def test_spent_and_expired_links_are_forgotten(ada):
    now = timezone.now()
    sign_in_links.use(sign_in_links.make(ada, now), now)
    sign_in_links.make(ada, now)

    assert SignInLink.objects.count() == 1


def test_looking_at_the_page_does_not_spend_the_link(ada):
    path = f"/sign-in/{sign_in_links.make(ada, timezone.now())}/"
    client = Client()

    assert client.get(path).status_code == 200
    assert "_auth_user_id" not in client.session

    response = client.post(path)

    assert response.url == "/settings/"
    assert client.session["_auth_user_id"] == ada.pk
    assert Client().post(path).status_code == 410


def test_an_unknown_link_says_what_to_do():
    response = Client().get("/sign-in/nothing/")

    assert response.status_code == 410
    assert "signin_link" in response.content.decode()


def test_the_command_makes_the_first_administrator(capsys):
    call_command("signin_link", base="http://site.test/")

    link = capsys.readouterr().out.strip()
    administrator = User.objects.get(email="admin@localhost")
    client = Client()
    client.post(link.removeprefix("http://site.test"))

    assert administrator.is_superuser
    assert not administrator.has_usable_password()
    assert client.session["_auth_user_id"] == administrator.pk


def test_the_command_is_silent_once_an_administrator_has_signed_in(capsys, mo):
    mo.last_login = timezone.now()
    mo.save()

    call_command("signin_link")

    assert capsys.readouterr().out == ""


def test_the_command_gives_one_person_a_way_back(capsys, mo):
    mo.last_login = timezone.now()
    mo.save()

    call_command("signin_link", user="Mo@example.org", base="http://site.test")

    assert capsys.readouterr().out.startswith("http://site.test/sign-in/")


def test_the_command_refuses_an_unknown_person():
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        call_command("signin_link", user="nobody@example.org")
