"""A copy of my data: all of mine, nothing of others, for me only, for a week."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from gptbuilder.accounts import exports, personal_data
from gptbuilder.accounts.models import DataExport, User
from gptbuilder.conversations.turns import start_thread, start_turn
from gptbuilder.gpts import pictures
from tests.world import shared_trail_planner, trail_planner

pytestmark = pytest.mark.django_db


def archive_of(person: User) -> ZipFile:
    file = io.BytesIO()
    exports.write(person, file, lambda done, total: None)
    return ZipFile(file)


def made(person: User) -> DataExport:
    export = exports.request(person, timezone.now())
    exports.build(export.pk)
    export.refresh_from_db()
    return export


def test_every_model_is_covered_or_said_to_hold_nothing_personal():
    named = {table.model for holding in personal_data.holdings() for table in holding.tables}
    impersonal = {model for holding in personal_data.holdings() for model in holding.impersonal}
    models = {model._meta.label for model in apps.get_models(include_auto_created=True)}

    assert models - named - impersonal == set(), "name them in a Holding of their layer"
    assert (named | impersonal) - models == set(), "these do not exist"
    assert named & impersonal == set()


def test_it_holds_all_that_is_mine_and_nothing_of_others(ada, ben, tmp_path):
    mine, theirs = trail_planner(ada, name="Mine"), shared_trail_planner(ben)
    image = tmp_path / "x.png"
    Image.new("RGB", (64, 64), "teal").save(image)
    with image.open("rb") as file:
        picture = pictures.receive(mine, file)
    thread = start_thread(ada, mine)
    start_turn(thread, ada, "下雨天去哪里？", timezone.now())
    start_turn(start_thread(ben, theirs), ben, "What Ben said", timezone.now())

    with archive_of(ada) as archive:
        names = archive.namelist()
        text = "".join(archive.read(name).decode(errors="replace") for name in names)
        messages = json.loads(archive.read("data/conversations/message.json"))
        [chat] = [name for name in names if name.startswith("chats/")]
        said = archive.read(chat).decode()

    assert f"pictures/{picture.pk}.webp" in names
    assert [message["text"] for message in messages] == ["下雨天去哪里？"]
    assert "下雨天去哪里？" in said
    assert mine.draft.instructions in text
    for stranger in (ben.pk, ben.email, theirs.pk, "What Ben said"):
        assert stranger not in text


def test_no_secret_is_in_it(ada, as_person):
    as_person(ada).get("/settings/")
    with archive_of(ada) as archive:
        text = "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())

    assert ada.password not in text
    assert "session_key" not in text


def test_a_name_of_a_chat_cannot_leave_the_folder(ada):
    thread = start_thread(ada, trail_planner(ada))
    thread.title = "../../etc/passwd\\ :*?"
    thread.save()

    with archive_of(ada) as archive:
        assert not any(".." in name or "\\" in name for name in archive.namelist())


def test_it_is_made_by_a_worker_and_told(as_person, ada):
    client = as_person(ada)
    client.post("/settings/data/export/")
    export = DataExport.objects.get()
    assert "being made" in client.get("/settings/data/").content.decode()

    exports.build(export.pk)

    assert "Download the copy" in client.get("/settings/data/").content.decode()
    assert list(ada.notifications.values_list("kind", flat=True)) == ["export_ready"]
    response = client.get(f"/settings/data/{export.pk}/")
    with ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        assert "README.txt" in archive.namelist()
    assert "attachment" in response.headers["Content-Disposition"]
    assert "no-store" in response.headers["Cache-Control"]


def test_nobody_else_downloads_it(as_person, ada, cleo, mo):
    export = made(ada)
    path = f"/settings/data/{export.pk}/"

    assert as_person(cleo).get(path).status_code == 404
    assert as_person(mo).get(path).status_code == 404
    assert "/accounts/login/" in Client().get(path).url


def test_after_a_week_the_file_is_gone(as_person, ada):
    export = made(ada)
    name = export.file.name
    DataExport.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert as_person(ada).get(f"/settings/data/{export.pk}/").status_code == 404

    exports.forget_expired(timezone.now())

    assert not default_storage.exists(name)


def test_asking_twice_makes_one(ada):
    first = exports.request(ada, timezone.now())

    assert exports.request(ada, timezone.now()) == first


def test_a_fourth_copy_in_a_day_is_refused(ada):
    for _number in range(3):
        made(ada)

    with pytest.raises(exports.ExportRefused):
        exports.request(ada, timezone.now())
    assert DataExport.objects.filter(status="ready").count() == 1


def test_a_copy_whose_worker_died_does_not_block_the_next(ada):
    dead = exports.request(ada, timezone.now() - timedelta(hours=1))

    again = exports.request(ada, timezone.now())

    assert again != dead
    exports.build(dead.pk)
    dead.refresh_from_db()
    assert dead.status == "failed"


def test_a_failure_is_said(as_person, ada, settings):
    export = exports.request(ada, timezone.now())
    settings.PERSONAL_DATA = ["tests.accounts.test_exports.BROKEN"]

    with pytest.raises(RuntimeError):
        exports.build(export.pk)

    assert "could not be made" in as_person(ada).get("/settings/data/").content.decode()


def broken(person: User) -> list[personal_data.Document]:
    raise RuntimeError("the disk is full")


BROKEN = personal_data.Holding(documents=broken)
