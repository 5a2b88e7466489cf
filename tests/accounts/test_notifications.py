"""What is told by e-mail: to whom, in which language, and how one turns it off."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail, signing
from django.test import Client
from django.utils import timezone

from gptbuilder.accounts import notifications
from gptbuilder.accounts.models import Notification, NotificationChoice, User
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


def told(person: User) -> list[str]:
    return list(person.notifications.order_by("pk").values_list("kind", flat=True))


def send_all() -> None:
    for pk in Notification.objects.order_by("pk").values_list("pk", flat=True):
        notifications.send(pk, timezone.now())


def sign_in(person: User, client: Client | None = None) -> Client:
    client = client or Client()
    agent = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}, headers={"User-Agent": agent})
    return client


def test_a_sign_in_from_an_unknown_device_is_told(ada):
    sign_in(ada)
    send_all()

    message = mail.outbox[0]
    assert message.subject == "New sign-in to your account"
    assert message.to == [ada.email]
    assert "Firefox on Windows, 127.0.0.1" in message.body
    assert "List-Unsubscribe" not in message.message()


def test_a_known_device_is_not_told_again(ada, ben):
    client = sign_in(ada)
    client.post("/accounts/logout/")
    sign_in(ada, client)

    assert told(ada) == ["new_sign_in"]

    client.post("/accounts/logout/")
    sign_in(ben, client)
    assert told(ben) == ["new_sign_in"]


def test_a_forged_cookie_makes_no_device_known(ada):
    client = Client()
    client.cookies["device"] = signing.dumps([ada.pk], salt="something else")
    sign_in(ada, client)

    assert told(ada) == ["new_sign_in"]


def test_signing_up_is_no_news():
    Client().post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})

    assert told(User.objects.get()) == []


def test_a_changed_password_is_told(as_person, ada):
    form = {"oldpassword": PASSWORD, "password1": "another long walk", "password2": "another long walk"}
    as_person(ada).post("/accounts/password/change/", form)
    send_all()

    assert told(ada) == ["password_changed"]
    assert "another long walk" not in mail.outbox[0].body


def test_a_changed_address_is_told_to_the_old_one(as_person, ada):
    as_person(ada).post("/settings/email/", {"email": "new@example.org", "password": PASSWORD})
    send_all()

    assert mail.outbox[0].to == ["ada@example.org"]


def test_a_mail_is_text_and_html_in_the_person_s_language(ada):
    User.objects.filter(pk=ada.pk).update(language="zh-hans", name="<b>艾达</b>")
    notifications.notify(User.objects.get(pk=ada.pk), "export_ready")
    send_all()

    message = mail.outbox[0]
    html = message.alternatives[0][0]
    assert 'lang="zh-hans"' in html
    assert "<script" not in html and "style=" not in html
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_notification_is_sent_once_and_again_after_a_failure(ada, settings, monkeypatch):
    notifications.notify(ada, "export_ready")
    row, now = Notification.objects.get(), timezone.now()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert not notifications.send(row.pk, now)

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert not notifications.send(row.pk, now)
    assert notifications.send_waiting(now + timedelta(minutes=6)) == 1
    assert notifications.send_waiting(now + timedelta(minutes=20)) == 0
    assert len(mail.outbox) == 1


def test_what_is_turned_off_is_not_sent(as_person, ada):
    client = as_person(ada)

    assert client.post("/settings/notifications/export_ready/", {}).status_code == 204
    notifications.notify(ada, "export_ready")
    assert told(ada) == []

    client.post("/settings/notifications/export_ready/", {"by_email": "on"})
    notifications.notify(ada, "export_ready")
    assert told(ada) == ["export_ready"]


def test_what_concerns_safety_cannot_be_turned_off(as_person, ada):
    client = as_person(ada)

    assert client.post("/settings/notifications/new_sign_in/", {}).status_code == 404
    assert client.post("/settings/notifications/nothing/", {}).status_code == 404
    NotificationChoice.objects.create(user=ada, kind="new_sign_in", by_email=False)
    assert notifications.wants(ada, notifications.kinds()["new_sign_in"])


def test_the_link_in_the_mail_turns_it_off_by_a_post_only(ada):
    notifications.notify(ada, "export_ready")
    send_all()
    path = re.search(r"/unsubscribe/\S+?/", mail.outbox[0].body)[0]
    stranger = Client(enforce_csrf_checks=True)

    assert "Stop these mails?" in stranger.get(path).content.decode()
    assert notifications.wants(ada, notifications.kinds()["export_ready"])

    # What a mail program sends: RFC 8058.
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not notifications.wants(ada, notifications.kinds()["export_ready"])


def test_a_token_is_for_one_person_and_one_kind(ada, ben):
    client = Client()
    client.post(f"/unsubscribe/{notifications.unsubscribe_token(ada, 'export_ready')}/")

    assert NotificationChoice.objects.filter(user=ben).count() == 0
    assert client.post(f"/unsubscribe/{notifications.unsubscribe_token(ada, 'new_sign_in')}/").status_code == 410
    forged = signing.dumps([ben.pk, "export_ready"], salt="another purpose")
    assert client.post(f"/unsubscribe/{forged}/").status_code == 410
    assert client.post("/unsubscribe/nothing/").status_code == 410


def test_nobody_without_an_address_is_written_to():
    guest = User.objects.create_user(None, kind=User.Kind.GUEST)
    notifications.notify(guest, "export_ready")

    assert told(guest) == []


def test_old_notifications_are_forgotten(ada):
    Notification.objects.create(user=ada, kind="export_ready", created_at=timezone.now() - timedelta(days=31))
    notifications.send_waiting(timezone.now())

    assert not Notification.objects.exists()
