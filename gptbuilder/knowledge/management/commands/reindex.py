"""`manage.py reindex`: embed everything anew by the model of the settings, or read all files again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gptbuilder.knowledge import embedding, indexes, indexing, tasks
from gptbuilder.knowledge.models import Content


class Command(BaseCommand):
    help = (
        "Make new vectors of all passages in the background; the old ones serve until the last is made. "
        "A change of EMBEDDING_MODEL begins that by itself; the command is for a model that changed under its name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", action="store_true", help="only say how far it is")
        parser.add_argument(
            "--read", action="store_true", help="read all files again, for instance after an upgrade of a reader"
        )

    def handle(self, *arguments: Any, **options: Any) -> None:
        if options["read"]:
            contents = Content.objects.exclude(state=Content.State.READING)
            for content in contents.order_by("pk").iterator():
                indexing.request(content)
            self.stdout.write(f"{contents.count()} files are read again in the background.")
        elif not options["status"]:
            endpoint = embedding.configured()
            if endpoint is None:
                raise CommandError("No embedding model is set up: see EMBEDDING_BASE_URL in the settings.")
            if indexes.serving() is None:
                indexes.ensure()
            else:
                indexes.rebuild(endpoint)
            tasks.build_index.delay()
        self._say_state()

    def _say_state(self) -> None:
        for index in filter(None, (indexes.serving(), indexes.building())):
            made, total = indexes.progress(index)
            self.stdout.write(f"{index.model}, {index.get_state_display()}: {made} of {total} passages")
