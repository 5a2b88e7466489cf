"""Visitors without an account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.conversations import guests, turns
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import access
from gptbuilder.gpts.models import GPT
from tests import world

pytestmark = pytest.mark.django_db


def visit(address: str = "192.0.2.7"):
    request = RequestFactory(REMOTE_ADDR=address).get("/")
    request.session = {}
    request.person = None
    return request


@pytest.fixture
def gpt(ada):
    return world.shared_trail_planner(ada)


def chat(person: User, gpt: GPT) -> Thread:
    access.remember_visit(gpt, person)
    thread = turns.start_thread(person, gpt)
    turns.start_turn(thread, person, "Where to?", timezone.now())
    return thread


def test_a_guest_has_no_credentials_and_their_own_workspace(gpt):
    request = visit()

    guest = guests.guest_for(request)
    thread = chat(guest, gpt)

    assert guest.is_guest and not guest.has_usable_password() and guest.email is None
    assert thread.workspace.personal_of == guest
    assert request.session[guests.SESSION_KEY] == guest.pk
    assert guests.guest_for(request) == guest


def test_an_address_makes_only_so_many_guests(settings, db):
    settings.GUESTS_PER_ADDRESS_PER_DAY = 2
    guests.guest_for(visit())
    guests.guest_for(visit())

    with pytest.raises(turns.TurnRefused):
        guests.guest_for(visit())
    assert guests.guest_for(visit("192.0.2.8")).is_guest


def test_guests_of_one_gpt_share_a_limit(settings, gpt):
    settings.GUEST_MESSAGES_PER_GPT_PER_HOUR = 1
    chat(guests.guest_for(visit()), gpt)

    with pytest.raises(turns.TurnRefused):
        chat(guests.guest_for(visit()), gpt)


def test_what_a_guest_did_belongs_to_the_account_they_make(gpt, ben):
    guest = guests.guest_for(visit())
    thread = chat(guest, gpt)

    guests.merge(guest.pk, ben)
    guests.merge(guest.pk, ben)

    thread.refresh_from_db()
    assert thread.owner == ben and thread.workspace.personal_of == ben
    assert GPT.objects.usable_by(ben).filter(pk=gpt.pk).exists()
    assert not User.objects.filter(pk=guest.pk).exists()


def test_a_member_cannot_be_merged_away(ada, ben):
    guests.merge(ada.pk, ben)

    assert User.objects.filter(pk=ada.pk).exists()


def test_guests_are_deleted_after_a_month_with_what_they_said(gpt):
    guest = guests.guest_for(visit())
    chat(guest, gpt)

    assert guests.purge(timezone.now() + timedelta(days=29)) == 0
    assert guests.purge(timezone.now() + timedelta(days=31)) == 1

    assert not Thread.objects.exists()
    assert User.objects.filter(kind="member").exists()
