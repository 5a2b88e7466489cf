"""Backup, destroy, restore: every row and every file is back."""

from __future__ import annotations

import gzip
import io
import json
import stat
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from gptbuilder.accounts.models import SignInLink, User
from gptbuilder.conversations import recorder, turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.gateway.types import Completion
from gptbuilder.gpts import builtin
from gptbuilder.operation import archive, backup, database
from tests import world

pytestmark = pytest.mark.django_db(transaction=True)

AIR = ("queued", "in_progress", "cancelling")


def in_the_air(run: Run, status: str) -> Run:
    Run.objects.filter(pk=run.pk).update(status=status, attempt=1, heartbeat_at=timezone.now())
    return run


@pytest.fixture
def full(settings, ada, ben, mo) -> dict[str, Run]:
    """A world with rows of all kinds, text that COPY must escape, files, and three runs in the air."""
    gpt = world.shared_trail_planner(ada)
    Client().force_login(ada)
    runs = {}
    for status in ("completed", *AIR):
        run = (
            turns.start_turn(
                turns.start_thread(ben, gpt if status == "completed" else builtin.default_gpt()),
                ben,
                'Tab\tback\\slash \\N "quotes" 下雨天\n\\.\nend',
                timezone.now(),
            )
            if status != "completed"
            else None
        )
        if run is None:
            from gptbuilder.gpts import access

            access.remember_visit(gpt, ben)
            run = turns.start_turn(turns.start_thread(ben, gpt), ben, "下雨天？", timezone.now())
            recorder.finish(recorder.claim(run.pk), "completed", completion=Completion("To the\tlake \\. "))
        else:
            in_the_air(run, status)
        runs[status] = run
    SignInLink.objects.create(token_hash="x", user=ada, expires_at=timezone.now())
    for name, content in {"pictures/a.webp": bytes(range(256)) * 9000, "knowledge/b/c.pdf": b"", "d.txt": b"d"}.items():
        path = Path(settings.MEDIA_ROOT) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return runs


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as PostgreSQL writes it."""
    found = {}
    with connection.cursor() as cursor:
        for table in database.tables():
            cursor.execute(f'SELECT t.*::text FROM "{table}" t ORDER BY 1')
            found[table] = cursor.fetchall()
    return found


def files(folder: str | Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def destroy(folder: str | Path) -> None:
    database.empty(list(database.tables()))
    for path in Path(folder).rglob("*"):
        if path.is_file():
            path.unlink()
    ContentType.objects.clear_cache()


def made(tmp_path: Path, *arguments: str, name: str = "backup.tar.gz") -> Path:
    path = tmp_path / name
    call_command("backup", str(path), *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    return path


def restored(path: Path, *arguments: str) -> str:
    out = io.StringIO()
    call_command("restore", str(path), *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_every_row_and_every_file_comes_back_and_what_was_in_the_air_has_ended(full, settings, tmp_path):
    before_files = files(settings.MEDIA_ROOT)
    path = made(tmp_path)
    before = rows()

    destroy(settings.MEDIA_ROOT)
    assert not any(rows().values()) and not files(settings.MEDIA_ROOT)
    said = restored(path)

    assert files(settings.MEDIA_ROOT) == before_files
    assert "3 answers were being written then and ended with a reason." in said
    for status in AIR:
        run = Run.objects.get(pk=full[status].pk)
        assert (run.status, run.error_code) == ("failed", "restored") and run.finished_at
        Run.objects.filter(pk=run.pk).update(status=status, error_code="", finished_at=None)
    after = rows()
    assert set(after) == set(before)
    for table in before:
        assert after[table] == before[table], table


def test_what_comes_after_a_restore_gets_new_numbers(full, settings, tmp_path, ada):
    path = made(tmp_path)
    last = SignInLink.objects.latest("pk").pk
    destroy(settings.MEDIA_ROOT)
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE accounts_signinlink_id_seq RESTART")

    restored(path)

    assert SignInLink.objects.create(token_hash="y", user=ada, expires_at=timezone.now()).pk > last


def test_the_person_is_told_why_the_answer_ended(full, settings, tmp_path, as_person, ben):
    path = made(tmp_path)
    destroy(settings.MEDIA_ROOT)
    restored(path)

    page = as_person(User.objects.get(pk=ben.pk)).get(f"/c/{full['in_progress'].thread_id}/").text

    assert "brought back from a backup" in page


def test_a_backup_of_older_tables_is_brought_up_to_date(full, settings, tmp_path):
    call_command("migrate", "conversations", "0003", verbosity=0)
    try:
        path = made(tmp_path)
    finally:
        call_command("migrate", verbosity=0)
    before = rows()

    restored(path, "--force")

    assert len(Run.objects.all()) == 4
    after = rows()
    # Its number is new, because the migration has been applied anew.
    for table in set(before) - {"django_migrations", "conversations_run"}:
        assert after[table] == before[table], table
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'runs_by_end'")
        assert cursor.fetchone() == (1,)


def test_an_installation_that_people_use_is_not_overwritten_by_accident(full, tmp_path, ada):
    path = made(tmp_path)
    User.objects.filter(pk=ada.pk).update(last_login=timezone.now(), name="Changed since")

    with pytest.raises(CommandError, match="give --force"):
        restored(path)
    assert User.objects.get(pk=ada.pk).name == "Changed since"

    restored(path, "--force")
    assert User.objects.get(pk=ada.pk).name == "Ada"


def test_a_file_that_was_cut_off_or_changed_is_refused_before_anything_is_touched(full, tmp_path):
    whole = made(tmp_path).read_bytes()
    before = rows()
    broken = tmp_path / "broken.tar.gz"
    inside = bytearray(gzip.decompress(whole))
    inside[inside.index(b"Trail Planner")] ^= 1
    for content in (whole[: len(whole) // 2], whole[:-2000], gzip.compress(bytes(inside)), b"nothing of the kind", b""):
        broken.write_bytes(content)
        with pytest.raises(CommandError, match="backup"):
            restored(broken, "--force")

    assert rows() == before


def test_an_archive_cannot_put_a_file_outside_of_its_folder(settings, tmp_path):
    path = tmp_path / "evil.tar.gz"
    with path.open("wb") as out:
        writer = archive.Writer(out)
        writer.add("files/../../outside.txt", 4, io.BytesIO(b"evil"))
        manifest = archive.Manifest(migrations=database.applied_migrations(), tables=database.tables())
        writer.close(manifest)

    with pytest.raises(CommandError, match="leads out of its folder"):
        restored(path)

    assert not list(tmp_path.parent.rglob("outside.txt"))
    link = tmp_path / "link.tar.gz"
    with tarfile.open(link, "w:gz") as tar:
        member = tarfile.TarInfo("files/a")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(CommandError):
        restored(link)


def test_keys_go_along_only_when_asked_for_and_nobody_else_reads_the_file(full, settings, tmp_path):
    settings.FIELD_KEYS = ["1:" + "ab" * 32]
    without, with_keys = made(tmp_path), made(tmp_path, "--with-keys", name="keys.tar.gz")

    for path in (without, with_keys):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = gzip.decompress(path.read_bytes()).decode(errors="replace")
        assert (settings.SECRET_KEY in text, settings.FIELD_KEYS[0] in text) == (path == with_keys,) * 2


def test_keys_that_the_installation_made_itself_give_way_to_those_of_the_backup(full, settings, tmp_path):
    settings.FIELD_KEYS = ["1:old"]
    path = made(tmp_path, "--with-keys")
    old_secret = settings.SECRET_KEY
    settings.HOME, settings.SECRET_KEY, settings.FIELD_KEYS = tmp_path / "home", "new", ["1:new"]
    settings.HOME.mkdir()
    (settings.HOME / "secret_key").write_text("new")
    (settings.HOME / "field_keys").write_text("1:new")

    said = restored(path, "--force")

    assert "Start everything again" in said
    assert (settings.HOME / "secret_key").read_text() == old_secret
    assert (settings.HOME / "field_keys").read_text() == "1:old"
    assert (settings.HOME / "field_keys.old").read_text() == "1:new"


def test_missing_keys_are_told(full, settings, tmp_path):
    settings.FIELD_KEYS = ["1:old"]
    path = made(tmp_path)
    settings.FIELD_KEYS = ["1:new"]

    assert "set FIELD_KEYS to the old ones" in restored(path, "--force")


def test_a_backup_of_a_newer_version_is_refused(full, tmp_path, monkeypatch):
    monkeypatch.setattr(
        database, "applied_migrations", lambda: [["conversations", "0001_initial"], ["conversations", "9999_later"]]
    )
    path = made(tmp_path)
    monkeypatch.undo()

    with pytest.raises(CommandError, match="update first"):
        restored(path, "--force")


def test_an_existing_file_is_not_overwritten(full, tmp_path):
    made(tmp_path)

    with pytest.raises(CommandError, match="exists already"):
        made(tmp_path)


def test_a_backup_shows_one_moment(full, tmp_path, ada):
    """Somebody who writes while tables are being read is in all of them or in none."""
    out = io.BytesIO()
    wrote = []

    def write_meanwhile(done: int) -> None:
        if not wrote:
            wrote.append(True)
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: (User.objects.create(email="late@example.org"), connection.close())).result()

    manifest = backup.make(out, timezone.now(), with_keys=False, progress=write_meanwhile)

    assert wrote and manifest.rows["accounts_user"] == User.objects.count() - 1


def test_the_manifest_says_what_is_in_it(full, tmp_path):
    path = made(tmp_path)
    with tarfile.open(path) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))

    assert manifest["rows"]["conversations_run"] == 4 and manifest["files"] == 3
    assert manifest["made_at"] > (timezone.now() - timedelta(minutes=5)).isoformat()
