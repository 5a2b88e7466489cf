"""Files on their way in, piece by piece."""

from __future__ import annotations

import errno
import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from gptbuilder.knowledge import uploads
from gptbuilder.knowledge.models import Content, KnowledgeFile, Upload
from gptbuilder.knowledge.uploads import DiskFull, UploadRefused, WrongPlace
from gptbuilder.workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def bytes_of(file: KnowledgeFile) -> bytes:
    with file.content.file.open() as stored:
        return stored.read()


def send(upload: Upload, *pieces: bytes) -> None:
    at = 0
    for piece in pieces:
        at = uploads.go_on(upload, at, io.BytesIO(piece))


def test_pieces_become_a_file(ada):
    upload = uploads.begin(ada, "trails.txt", 11)
    send(upload, b"Take ", b"a map.")

    file = uploads.finish(upload)

    assert (file.name, file.size_bytes, file.uploaded_by) == ("trails.txt", 11, ada)
    assert bytes_of(file) == b"Take a map."
    assert file.content.state == Content.State.UPLOADED
    assert not Upload.objects.exists()
    assert not uploads.part_of(upload).exists()


def test_a_piece_that_came_twice_is_refused_and_says_where_to_go_on(ada):
    upload = uploads.begin(ada, "trails.txt", 11)
    send(upload, b"Take ")

    with pytest.raises(WrongPlace) as wrong:
        uploads.go_on(upload, 0, io.BytesIO(b"Take "))

    assert wrong.value.at == 5


def test_a_piece_that_was_written_but_not_counted_is_written_again(ada):
    """As after a kill between the two."""
    upload = uploads.begin(ada, "trails.txt", 11)
    send(upload, b"Take ")
    with uploads.part_of(upload).open("ab") as part:
        part.write(b"half of a pie")

    uploads.go_on(upload, 5, io.BytesIO(b"a map."))

    assert bytes_of(uploads.finish(upload)) == b"Take a map."


def test_more_than_was_announced_is_not_taken(ada):
    upload = uploads.begin(ada, "trails.txt", 4)

    assert uploads.go_on(upload, 0, io.BytesIO(b"Take a map.")) == 4
    assert bytes_of(uploads.finish(upload)) == b"Take"


def test_an_upload_that_is_not_whole_is_no_file(ada):
    upload = uploads.begin(ada, "trails.txt", 11)
    send(upload, b"Take ")

    with pytest.raises(WrongPlace):
        uploads.finish(upload)

    assert Upload.objects.filter(pk=upload.pk).exists()


def test_the_same_bytes_are_stored_once_in_a_workspace(ada, ben):
    files = [
        uploads.receive(Workspace.objects.personal(person), person, name, ContentFile(b"Take a map."))
        for person, name in ((ada, "one.txt"), (ada, "two.txt"), (ben, "one.txt"))
    ]

    assert files[0].content == files[1].content
    assert files[2].content != files[0].content
    assert [file.name for file in files] == ["one.txt", "two.txt", "one.txt"]


class FullDisk(io.BytesIO):
    def read(self, size: int = -1) -> bytes:
        raise OSError(errno.ENOSPC, "no space left on device")


def test_a_full_disk_loses_nothing_that_was_taken(ada):
    upload = uploads.begin(ada, "trails.txt", 11)
    send(upload, b"Take ")

    with pytest.raises(DiskFull, match="no room"):
        uploads.go_on(upload, 5, FullDisk())

    uploads.go_on(upload, 5, io.BytesIO(b"a map."))
    assert bytes_of(uploads.finish(upload)) == b"Take a map."


def test_what_is_too_large_is_refused_before_it_is_sent(ada, settings):
    settings.KNOWLEDGE_FILE_MAX_BYTES = 10

    with pytest.raises(UploadRefused, match="larger than"):
        uploads.begin(ada, "trails.txt", 11)


def test_a_person_has_so_much_room_and_each_content_counts_once(ada, settings):
    settings.KNOWLEDGE_PERSON_MAX_BYTES = 25
    workspace = Workspace.objects.personal(ada)
    for name in ("one.txt", "two.txt"):
        uploads.receive(workspace, ada, name, ContentFile(b"Take a map."))

    assert uploads.used_bytes(ada) == 11
    with pytest.raises(UploadRefused, match="more than"):
        uploads.begin(ada, "trails.txt", 15)


def test_an_empty_file_is_refused(ada):
    with pytest.raises(UploadRefused, match="is empty"):
        uploads.begin(ada, "trails.txt", 0)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ada\\plan.pdf", "plan.pdf"),
        ("line\nbreak\x00.txt", "linebreak.txt"),
        ("计划书.docx", "计划书.docx"),
        ("x" * 300 + ".pdf", "x" * 250 + "….pdf"),
        ("///", ""),
    ],
)
def test_names_are_cleaned(name, clean):
    assert uploads.clean_name(name) == clean


def test_abandoned_uploads_and_lost_parts_are_forgotten(ada):
    now = timezone.now()
    old, new = (uploads.begin(ada, f"{name}.txt", 11) for name in ("old", "new"))
    for upload in (old, new):
        send(upload, b"Take ")
    Upload.objects.filter(pk=old.pk).update(updated_at=now - timedelta(days=2))

    assert uploads.purge(now) == 1
    uploads.purge(now + timedelta(days=1, minutes=1))

    assert not uploads.part_of(old).exists()
    assert not uploads.part_of(new).exists()


def test_a_copy_shares_the_content_and_is_erased_alone(ada):
    from gptbuilder.knowledge import erasing

    file = uploads.receive(Workspace.objects.personal(ada), ada, "one.txt", ContentFile(b"Take a map."))
    copy = uploads.copy(file)

    erasing.erase([file], timezone.now())

    copy.refresh_from_db()
    assert bytes_of(copy) == b"Take a map."
    assert KnowledgeFile.objects.get(pk=file.pk).is_erased
