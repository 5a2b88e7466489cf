"""Deleting one's account: at once for everybody else, for good after a week."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image

from gptbuilder.accounts import closing, exports, notifications
from gptbuilder.accounts.models import Notification, User
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.turns import start_thread, start_turn
from gptbuilder.gpts import access, pictures
from gptbuilder.gpts.models import GPT
from gptbuilder.workspaces.models import Membership, Workspace
from tests.world import PASSWORD, shared_trail_planner

pytestmark = pytest.mark.django_db


def signed_in(person: User) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def close(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="gptbuilder.accounts.backends.PageBackend")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    response = client.post("/settings/delete/")
    assert response.status_code == 200
    person.refresh_from_db()
    return client


def last_link(pattern: str) -> str:
    mail.outbox.clear()
    notifications.send(Notification.objects.latest("pk").pk, timezone.now())
    return re.search(pattern, mail.outbox[0].body)[0]


def everything_of(person: User, tmp_path) -> GPT:
    """A person with something in every corner."""
    gpt = shared_trail_planner(person)
    image = tmp_path / "x.png"
    Image.new("RGB", (64, 64), "teal").save(image)
    with image.open("rb") as file:
        picture = pictures.receive(gpt, file)
    gpt.draft.picture = picture
    gpt.draft.save()
    start_turn(start_thread(person, gpt), person, "Where to?", timezone.now())
    exports.build(exports.request(person, timezone.now()).pk)
    Authenticator.objects.create(user=person, type="totp", data={"secret": "x"})
    people = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=person, content_type=people, object_id=person.pk, object_repr=str(person), action_flag=2
    )
    return gpt


def rows_with(text: str) -> dict[str, int]:
    """Every table, and how many of its rows hold this text anywhere."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s', [f"%{text}%"])
            if number := cursor.fetchone()[0]:
                found[table] = number
    return found


def test_the_password_is_asked_for_first(as_person, ada):
    client = as_person(ada)

    assert "/accounts/reauthenticate/" in client.get("/settings/delete/").url
    assert client.post("/settings/delete/").status_code == 302
    ada.refresh_from_db()
    assert ada.is_active


def test_a_closed_account_is_signed_out_everywhere_and_signs_in_no_more(ada):
    elsewhere = signed_in(ada)
    here = close(ada)

    assert elsewhere.get("/settings/").status_code == here.get("/settings/").status_code == 302
    assert "_auth_user_id" not in signed_in(ada).session


def test_what_was_shared_is_out_of_reach_at_once(ada, ben):
    gpt = shared_trail_planner(ada)
    visitor = signed_in(ben)
    visitor.get(f"/g/{gpt.link_token}/", follow=True)
    assert GPT.objects.usable_by(ben).filter(pk=gpt.pk).exists()
    close(ada)

    assert visitor.get(f"/g/{gpt.link_token}/").status_code == 404
    assert not GPT.objects.usable_by(ben).filter(pk=gpt.pk).exists()


def test_the_link_in_the_mail_brings_it_all_back(ada, ben):
    gpt = shared_trail_planner(ada)
    close(ada)
    link = last_link(r"/reopen/\S+?/")
    stranger = Client()

    assert stranger.get(link).status_code == 200
    ada.refresh_from_db()
    assert not ada.is_active
    assert stranger.post(link).url == "/accounts/login/"
    ada.refresh_from_db()
    assert ada.is_active and ada.deletion_due_at is None
    assert Client().get(f"/g/{gpt.link_token}/").status_code != 404
    # It opens an account; it signs nobody in.
    assert "_auth_user_id" not in stranger.session


def test_an_old_link_does_not_undo_a_later_closing(ada):
    close(ada)
    first = last_link(r"/reopen/\S+?/")
    Client().post(first)
    close(ada)

    assert Client().post(first).status_code == 410
    ada.refresh_from_db()
    assert not ada.is_active


def test_the_link_of_an_account_that_an_administrator_closed_opens_nothing(ada):
    token = closing.reopen_token(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert Client().post(f"/reopen/{token}/").status_code == 410


def test_nothing_is_erased_within_the_week(ada):
    close(ada)

    assert closing.purge(timezone.now() + timedelta(days=6)) == 0
    assert User.objects.filter(pk=ada.pk).exists()


def test_after_the_week_nothing_is_left_in_any_table_or_folder(ada, ben, tmp_path, django_capture_on_commit_callbacks):
    gpt = everything_of(ada, tmp_path)
    other = shared_trail_planner(ben)
    access.remember_visit(other, ada)
    start_turn(start_thread(ada, other), ada, "Hello Ben's GPT", timezone.now())
    close(ada)
    files = [default_storage.path(picture.file.name) for picture in gpt.pictures.all()]
    kept_before = rows_with(ben.pk)
    assert rows_with(ada.pk)

    with django_capture_on_commit_callbacks(execute=True):
        assert closing.purge(timezone.now() + timedelta(days=8)) == 1

    assert rows_with(ada.pk) == rows_with(ada.email) == rows_with(gpt.pk) == {}
    assert not any(default_storage.exists(file) for file in files)
    assert default_storage.listdir("exports")[1] == []
    assert rows_with(ben.pk) == kept_before


def test_what_others_said_to_a_deleted_gpt_stays_theirs(ada, ben):
    gpt = shared_trail_planner(ada)
    signed_in(ben).get(f"/g/{gpt.link_token}/", follow=True)
    thread = start_thread(ben, gpt)
    start_turn(thread, ben, "Where to?", timezone.now())
    close(ada)
    closing.purge(timezone.now() + timedelta(days=8))

    assert Thread.objects.get(pk=thread.pk).messages.get().text == "Where to?"


def test_the_only_administrator_stays(mo):
    client = signed_in(mo)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    response = client.post("/settings/delete/")

    assert response.status_code == 422
    assert "only administrator" in response.content.decode()


def test_the_only_owner_of_a_company_s_workspace_stays(ada, ben):
    company = Workspace.objects.create(name="Lakeside")
    Membership.objects.create(workspace=company, user=ada, role=Membership.Role.OWNER)
    Membership.objects.create(workspace=company, user=ben, role=Membership.Role.MEMBER)
    client = signed_in(ada)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert "only owner of Lakeside" in client.post("/settings/delete/").content.decode()


def test_what_was_made_in_a_company_stays_with_its_owner(ada, ben):
    company = Workspace.objects.create(name="Lakeside")
    Membership.objects.create(workspace=company, user=ada, role=Membership.Role.MEMBER)
    Membership.objects.create(workspace=company, user=ben, role=Membership.Role.OWNER)
    gpt = shared_trail_planner(ada)
    GPT.objects.filter(pk=gpt.pk).update(workspace=company)
    close(ada)
    closing.purge(timezone.now() + timedelta(days=8))

    assert GPT.objects.get(pk=gpt.pk).owner == ben


def test_who_has_neither_password_nor_passkey_confirms_by_mail(as_person):
    dora = User.objects.create_user("dora@example.org", None, last_login=timezone.now())
    client = as_person(dora)
    dora.refresh_from_db()
    page = client.post("/settings/delete/").content.decode()
    dora.refresh_from_db()
    assert "mailbox" in page and dora.is_active

    link = last_link(r"/settings/delete/\S+?/")
    assert client.get(link).status_code == 200
    dora.refresh_from_db()
    assert dora.is_active

    client.post(link)
    dora.refresh_from_db()
    assert not dora.is_active


def test_the_confirming_link_of_another_closes_nothing(as_person, ada, cleo):
    token = closing.confirm_token(cleo)

    assert as_person(ada).post(f"/settings/delete/{token}/").status_code == 410
    assert Client().post(f"/settings/delete/{token}/").status_code == 302
    assert User.objects.filter(is_active=True).count() == 2


def test_an_account_that_fails_does_not_keep_the_others(ada, ben, settings):
    for person in (ada, ben):
        close(person)
    settings.PERSONAL_DATA = [*settings.PERSONAL_DATA, "tests.accounts.test_closing.STUBBORN"]
    STUBBORN_PERSON.append(ada.pk)

    assert closing.purge(timezone.now() + timedelta(days=8)) == 1
    assert list(User.objects.values_list("pk", flat=True)) == [ada.pk]


STUBBORN_PERSON: list[str] = []


def refuse(person: User) -> None:
    if person.pk in STUBBORN_PERSON:
        raise RuntimeError("not today")


STUBBORN = closing.personal_data.Holding(delete=refuse)


def test_a_file_beside_stays(ada):
    default_storage.save("pictures/other.webp", ContentFile(b"x"))
    close(ada)
    closing.purge(timezone.now() + timedelta(days=8))

    assert default_storage.exists("pictures/other.webp")
