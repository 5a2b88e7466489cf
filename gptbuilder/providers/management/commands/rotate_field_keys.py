"""`manage.py rotate_field_keys`: seal everything anew with the first of FIELD_KEYS, so that older keys can go."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gptbuilder.lib import sealing


class Command(BaseCommand):
    help = "Seal every stored secret anew with the first key of FIELD_KEYS. Safe to run at any time, and again."

    def handle(self, *args: Any, **options: Any) -> None:
        done, lost = 0, 0
        for path, place in settings.SEALED_FIELDS.items():
            table, _, field = path.rpartition(".")
            fresh, unreadable = self._rotate(table, field, place)
            done, lost = done + fresh, lost + len(unreadable)
            for reason in unreadable:
                self.stderr.write(reason)
        self.stdout.write(f"{done} rows sealed anew with the first key.")
        if lost:
            raise CommandError(f"{lost} rows cannot be opened and were left as they are. Keep the old keys.")

    def _rotate(self, table: str, field: str, place: str) -> tuple[int, list[str]]:
        rows, done, unreadable = apps.get_model(table)._default_manager.all(), 0, []
        for pk, value in rows.values_list("pk", field).iterator():
            identity = sealing.row_identity(table, pk, field)
            try:
                fresh = _resealed(value, place or identity)
            except sealing.SealingError as error:
                unreadable.append(f"{identity}: {error}")
                continue
            if fresh != value:
                # A secret that was changed meanwhile is sealed with the first key already.
                done += rows.filter(pk=pk, **{field: value}).update(**{field: fresh})
        return done, unreadable


def _resealed(value: Any, identity: str) -> Any:
    """The same value, a text or JSON, with every sealed text in it sealed by the first key."""
    match value:
        case dict():
            return {name: _resealed(part, identity) for name, part in value.items()}
        case list():
            return [_resealed(part, identity) for part in value]
        case str() if sealing.is_sealed(value):
            return sealing.resealed(value, identity, settings.FIELD_KEYS)
        case _:
            return value
