"""Images that go with a message."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from gptbuilder.conversations import attachments, execution, guests, history, queueing, turns
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gateway.types import Image as ModelImage
from gptbuilder.gateway.types import UserMessage
from gptbuilder.gpts import access, builtin
from gptbuilder.web.images import PictureRefused
from tests import world

pytestmark = pytest.mark.django_db


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, "teal").save(buffer, kind, **options)
    return buffer.getvalue()


def uploaded(person, data: bytes | None = None) -> Attachment:
    return attachments.receive(person, BytesIO(data or picture()), timezone.now())


def files() -> set[str]:
    try:
        days = default_storage.listdir("attachments")[0]
    except FileNotFoundError:
        return set()
    return {f"attachments/{day}/{name}" for day in days for name in default_storage.listdir(f"attachments/{day}")[1]}


@pytest.fixture
def thread(ada) -> Thread:
    return turns.start_thread(ada, builtin.default_gpt())


def say(thread: Thread, text: str, *images: Attachment) -> Run:
    return turns.start_turn(thread, thread.owner, text, timezone.now(), [image.pk for image in images])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_an_image_is_made_anew_as_a_jpeg(ada, kind):
    found = uploaded(ada, picture(kind, (3000, 1500)))

    with found.file.open() as file:
        image = Image.open(BytesIO(file.read()))
    assert (image.format, image.size, found.width, found.height) == ("JPEG", (2048, 1024), 2048, 1024)
    assert found.size_bytes == default_storage.size(found.file.name)


def test_nothing_of_the_camera_is_kept_but_which_way_was_up(ada):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (46.0, 56.0, 0.0)}
    exif[0x010E] = "home, sweet home"

    found = uploaded(ada, picture("JPEG", (40, 20), exif=exif))

    with found.file.open() as file:
        data = file.read()
    assert Image.open(BytesIO(data)).size == (20, 40)
    assert not Image.open(BytesIO(data)).getexif()
    assert b"sweet" not in data


def test_what_is_transparent_becomes_white(ada):
    buffer = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(buffer, "PNG")

    found = uploaded(ada, buffer.getvalue())

    with found.file.open() as file:
        assert Image.open(file).convert("RGB").getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        picture()[:60],
        b"%PDF-1.4",
        picture("BMP"),
        picture("TIFF"),
        os.urandom(4096),
    ],
    ids=["empty", "header", "svg", "html", "cut", "pdf", "bmp", "tiff", "noise"],
)
def test_what_is_no_picture_is_refused(ada, data):
    with pytest.raises(PictureRefused):
        uploaded(ada, data or b" ")

    assert not Attachment.objects.exists()
    assert not files()


def test_a_picture_that_would_fill_the_memory_is_refused(ada):
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))

    with pytest.raises(PictureRefused):
        uploaded(ada, bomb)


def test_a_file_above_the_limit_is_refused(ada, settings):
    settings.PICTURE_MAX_BYTES = 100

    with pytest.raises(PictureRefused):
        uploaded(ada)


def test_a_page_with_script_behind_a_picture_is_served_as_a_picture_alone(ada, as_person):
    found = uploaded(ada, picture() + b"<script>alert(1)</script>")

    response = as_person(ada).get(f"/attachments/{found.pk}.jpg")

    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"script" not in response.content


def test_an_image_goes_with_the_message_and_is_shown_there(thread, ada, as_person):
    image = uploaded(ada)

    run = say(thread, "What is this?", image)

    assert run.question.attachments.get() == image
    assert f"/attachments/{image.pk}.jpg" in as_person(ada).get(f"/c/{thread.pk}/").content.decode()


def test_an_image_needs_no_words(thread, ada):
    assert say(thread, "", uploaded(ada)).question.text == ""
    assert thread.title == "Image"


def test_an_image_of_somebody_else_or_one_that_was_sent_cannot_be_sent(thread, ada, cleo):
    theirs, sent = uploaded(cleo), uploaded(ada)
    run = say(thread, "One?", sent)
    Run.objects.filter(pk=run.pk).update(status="completed")

    for image in (theirs, sent):
        with pytest.raises(turns.TurnRefused) as refused:
            say(thread, "Two?", image)
        assert refused.value.code == "image"
    assert thread.messages.count() == 1
    assert Attachment.objects.get(pk=theirs.pk).message is None


def test_a_message_has_at_most_six(thread, ada):
    with pytest.raises(turns.TurnRefused):
        say(thread, "Look", *(uploaded(ada) for _ in range(Attachment.MOST + 1)))


def test_images_wait_with_their_message(thread, ada):
    say(thread, "One?")
    image = uploaded(ada)
    queued = queueing.say(thread, ada, "Two?", timezone.now(), [image.pk])
    waiting = Attachment.objects.get(queued=queued)
    Run.objects.filter(thread=thread).update(status="failed")

    run = queueing.send_first(thread, timezone.now())

    assert waiting == image
    assert run.question.attachments.get() == image


def test_an_edited_message_keeps_its_images(thread, ada):
    first = say(thread, "What is this?", uploaded(ada)).question
    Run.objects.filter(thread=thread).update(status="completed")

    second = turns.edit(first, ada, "And where?", timezone.now()).question

    assert first.attachments.get().file.name == second.attachments.get().file.name
    assert len(files()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_model_that_sees_is_given_the_images(ada, upstream, settings):
    settings.MODEL_VISION = True
    image = uploaded(ada)
    run = say(turns.start_thread(ada, builtin.default_gpt()), "What is this?", image)

    execution.execute(run.pk)

    content = upstream.requests[0]["messages"][-1]["content"]
    with image.file.open() as file:
        encoded = base64.b64encode(file.read()).decode()
    assert content[0] == {"type": "text", "text": "What is this?"}
    assert content[1]["image_url"]["url"] == f"data:image/jpeg;base64,{encoded}"


@pytest.mark.django_db(transaction=True)
def test_a_model_that_does_not_see_is_not_sent_any(ada, upstream):
    run = say(turns.start_thread(ada, builtin.default_gpt()), "", uploaded(ada))

    execution.execute(run.pk)

    assert upstream.requests[0]["messages"][-1]["content"] == history.AN_IMAGE


def test_a_model_gets_the_latest_images_within_a_size(thread, ada, monkeypatch):
    for number in range(4):
        run = say(thread, f"Number {number}", uploaded(ada), uploaded(ada))
        Run.objects.filter(pk=run.pk).update(status="completed")
    path = Thread.objects.get(pk=thread.pk).path()

    latest = attachments.for_model(path)
    monkeypatch.setattr(attachments, "GIVEN_BYTES", 0)

    assert [len(latest.get(message.pk, ())) for message in path] == [0, 2, 2, 2]
    assert attachments.for_model(path) == {}


def test_an_image_whose_file_is_gone_is_left_out(thread, ada):
    run = say(thread, "Look", uploaded(ada))
    default_storage.delete(run.question.attachments.get().file.name)

    assert attachments.for_model([run.question]) == {}


def test_images_take_room_in_the_window():
    image = ModelImage("image/jpeg", b"x")
    messages = [UserMessage("old"), UserMessage("new", (image,))]

    fitted = history.fit("", messages, 2000 + 4 * 500, 500, lambda text: len(text) // 4)

    assert UserMessage("new", (image,)) in fitted


# --- Addresses -----------------------------------------------------------------------------------


def post(client: Client, data: bytes, name: str = "image.png"):
    return client.post("/attachments/", {"image": SimpleUploadedFile(name, data, "image/png")})


def test_an_upload_gives_its_thumbnail(ada, as_person):
    response = post(as_person(ada), picture())

    image = Attachment.objects.get()
    assert response.status_code == 201
    assert f'name="image" value="{image.pk}"' in response.content.decode()
    assert (image.person, image.message) == (ada, None)


def test_an_upload_that_is_refused_says_why(ada, as_person):
    client = as_person(ada)

    assert "PNG" in post(client, b"<svg/>")["X-Problem"]
    assert post(client, b"<svg/>").status_code == 422
    assert client.post("/attachments/", {"image": "text"}).status_code == 422


def test_uploads_are_limited(ada, as_person, monkeypatch):
    monkeypatch.setattr(attachments, "IMAGES_PER_HOUR", 1)
    client = as_person(ada)

    assert post(client, picture()).status_code == 201
    assert post(client, picture()).status_code == 429


def test_who_is_nobody_uploads_nothing(db):
    assert post(Client(), picture()).status_code == 404
    assert not files()


def test_the_button_is_there_only_for_a_model_that_sees(ada, as_person, settings):
    before = as_person(ada).get("/c/").content.decode()
    settings.MODEL_VISION = True
    after = as_person(ada).get("/c/").content.decode()

    assert "<image-tray" not in before
    assert "<image-tray" in after


def test_an_image_is_served_only_to_who_may_see_its_thread(thread, ada, ben, cleo, as_person):
    unsent, sent = uploaded(ada), uploaded(ada)
    say(thread, "Look", sent)

    for image in (unsent, sent):
        address = f"/attachments/{image.pk}.jpg"
        assert as_person(ada).get(address).status_code == 200
        assert "private" in as_person(ada).get(address)["Cache-Control"]
        for client in (as_person(ben), as_person(cleo), Client()):
            assert client.get(address).status_code == 404
            assert client.delete(f"/attachments/{image.pk}/").status_code == 404


def test_who_built_the_gpt_does_not_see_what_is_shown_to_it(ada, ben, as_person):
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, ben)
    image = uploaded(ben)
    say(turns.start_thread(ben, gpt), "Look", image)

    assert as_person(ada).get(f"/attachments/{image.pk}.jpg").status_code == 404


def test_an_unsent_image_can_be_taken_out_and_a_sent_one_not(thread, ada, as_person):
    unsent, sent = uploaded(ada), uploaded(ada)
    say(thread, "Look", sent)
    client = as_person(ada)

    assert client.delete(f"/attachments/{unsent.pk}/").status_code == 204
    assert client.delete(f"/attachments/{sent.pk}/").status_code == 404
    assert files() == {sent.file.name}


# --- What is left behind -------------------------------------------------------------------------


def grow_old(*names: str) -> None:
    long_ago = (timezone.now() - timedelta(days=2)).timestamp()
    for name in names:
        os.utime(Path(default_storage.path(name)), (long_ago, long_ago))


def test_unsent_images_go_after_a_day_and_sent_ones_stay(thread, ada):
    old, young, sent = uploaded(ada), uploaded(ada), uploaded(ada)
    say(thread, "Look", sent)
    Attachment.objects.exclude(pk=young.pk).update(created_at=timezone.now() - timedelta(days=2))
    grow_old(old.file.name, sent.file.name)

    assert attachments.purge(timezone.now()) == 1
    assert files() == {young.file.name, sent.file.name}
    assert attachments.purge(timezone.now()) == 0


def test_files_go_with_the_thread_they_were_sent_in_but_not_while_an_edit_shows_them(thread, ada):
    first = say(thread, "Look", uploaded(ada)).question
    Run.objects.filter(thread=thread).update(status="completed")
    turns.edit(first, ada, "Look again", timezone.now())
    grow_old(*files())
    first.delete()
    kept = attachments.purge(timezone.now())
    Thread.objects.all().delete()

    assert kept == 0
    assert attachments.purge(timezone.now()) == 1
    assert files() == set()


def test_a_file_whose_row_is_just_being_written_is_left_alone(ada):
    uploaded(ada)
    Attachment.objects.all().delete()

    assert attachments.purge(timezone.now()) == 0


def test_a_guests_images_move_to_their_account(ben, django_user_model):
    guest = django_user_model.objects.create_user(None, kind="guest")
    uploaded(guest)

    guests.merge(guest.pk, ben)

    assert Attachment.objects.get().person == ben
