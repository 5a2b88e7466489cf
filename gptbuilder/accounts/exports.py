"""All that is mine as one ZIP: JSON of every table, files, chats to read. Made by a worker, there for a week."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from celery import current_app
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError as BrokerAway

from gptbuilder.accounts import personal_data
from gptbuilder.accounts.models import DataExport, User
from gptbuilder.accounts.notifications import Kind, notify
from gptbuilder.lib.ids import new_token

log = logging.getLogger(__name__)

PER_DAY = 3
# A worker that died leaves an export that says nothing any more.
SILENT = timedelta(minutes=10)
KINDS = (
    Kind(
        "export_ready",
        _("The copy of my data is ready"),
        _("The copy of your data is ready"),
        (_("The copy you asked for waits in the settings, under “Your data”. It can be downloaded for seven days."),),
        link_label=_("Open the settings"),
    ),
)


class ExportRefused(Exception):
    """Another copy cannot be made now, and why, in the person's language."""


def request(person: User, now: datetime) -> DataExport:
    """Begin a copy; the one that is being made, when there is one. Raises ExportRefused."""
    give_up_silent(now)
    working = DataExport.objects.filter(user=person, status=DataExport.Status.WORKING)
    if found := working.first():
        return found
    if DataExport.objects.filter(user=person, created_at__gt=now - timedelta(days=1)).count() >= PER_DAY:
        raise ExportRefused(gettext("You have made three copies today. Try again tomorrow."))
    try:
        with transaction.atomic():
            export = DataExport.objects.create(user=person, created_at=now, heartbeat_at=now)
            transaction.on_commit(lambda: _hand_over(export.pk))
    except IntegrityError:
        return working.get()
    return export


def _hand_over(pk: str) -> None:
    try:
        current_app.send_task("gptbuilder.accounts.tasks.build_export", [pk])
    except (BrokerAway, OSError):
        DataExport.objects.filter(pk=pk).update(status=DataExport.Status.FAILED)
        log.warning("the broker is away; an export cannot be made")


def build(pk: str) -> None:
    """Make the file. A failure is logged and told on the page; a copy that was given up meanwhile stays so."""
    export = DataExport.objects.select_related("user").get(pk=pk)
    if not export.is_working:
        return
    try:
        with tempfile.TemporaryFile() as file, translation.override(export.user.language or settings.LANGUAGE_CODE):
            write(export.user, file, lambda done, total: _progress(pk, done, total))
            file.seek(0)
            # A name nobody can guess: a folder that is served by mistake gives nothing away.
            name = default_storage.save(f"exports/{new_token()}.zip", File(file))
    except Exception:
        DataExport.objects.filter(pk=pk).update(status=DataExport.Status.FAILED)
        raise
    now = timezone.now()
    kept = DataExport.objects.filter(pk=pk, status=DataExport.Status.WORKING).update(
        status=DataExport.Status.READY, file=name, expires_at=now + timedelta(days=settings.EXPORT_DAYS)
    )
    if not kept:
        default_storage.delete(name)
        return
    forget(DataExport.objects.filter(user=export.user, status=DataExport.Status.READY).exclude(pk=pk))
    notify(export.user, "export_ready")


def write(person: User, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
    """The ZIP. It is read table by table and file by file, so that memory does not grow with what one has."""
    holdings = personal_data.holdings()[::-1]
    tables = [table for holding in holdings for table in holding.tables]
    documents = [document for holding in holdings for document in holding.documents(person)]
    total = len(tables) + len(documents)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _readme(person))
        for done, table in enumerate(tables):
            progress(done, total)
            with archive.open(f"data/{table.model.replace('.', '/').lower()}.json", "w", force_zip64=True) as entry:
                for piece in _json(table, person):
                    entry.write(piece.encode())
        for done, document in enumerate(documents, start=len(tables)):
            progress(done, total)
            if (content := document.read()) is not None:
                archive.writestr(document.path, content)


def _json(table: personal_data.Table, person: User) -> Iterator[str]:
    separator = "[\n"
    for row in table.rows(person).order_by("pk").iterator(500):
        values = personal_data.as_dict(row, table.without)
        yield separator + json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"


def _readme(person: User) -> str:
    lines = [
        gettext("This is a copy of what %(site)s keeps of %(person)s (%(email)s).")
        % {"site": settings.SITE_NAME, "person": person, "email": person.email},
        "",
        gettext("data/ holds every row as JSON, one file for each kind."),
        gettext("chats/ holds your conversations, to read."),
        gettext("pictures/ and images/ hold the pictures you uploaded."),
        gettext("Passwords, keys and recovery codes are not in it."),
    ]
    return "\n".join(lines) + "\n"


def _progress(pk: str, done: int, total: int) -> None:
    if done % 10 == 0 or total < 100:
        DataExport.objects.filter(pk=pk).update(done=done, total=total, heartbeat_at=timezone.now())


def give_up_silent(now: datetime) -> None:
    """Copies whose worker is gone have failed."""
    silent = DataExport.objects.filter(status=DataExport.Status.WORKING, heartbeat_at__lt=now - SILENT)
    silent.update(status=DataExport.Status.FAILED)


def forget_expired(now: datetime) -> None:
    """Delete the files whose week is over, and rows that have none."""
    forget(DataExport.objects.filter(expires_at__lte=now))
    over = (DataExport.Status.FAILED, DataExport.Status.GONE)
    DataExport.objects.filter(status__in=over, created_at__lt=now - timedelta(days=7)).delete()


def forget(exports: QuerySet[DataExport]) -> None:
    """Delete the files of these exports. Their rows stay a day, so that they count."""
    for export in exports.exclude(file=""):
        default_storage.delete(export.file.name)
    exports.update(file="", status=DataExport.Status.GONE)
