"""`manage.py evaluate_retrieval DIR`: how well this installation finds, by judged questions of a collection."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gptbuilder.gateway.errors import GatewayError
from gptbuilder.knowledge import evaluation
from gptbuilder.knowledge.evaluation import Evaluation


class Command(BaseCommand):
    help = (
        "Index a folder in the BEIR form (corpus.jsonl, queries.jsonl, qrels.tsv) through the ordinary path, ask its "
        "questions and print how well words, meaning and both together find what was judged to be relevant."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
        parser.add_argument("--cache", type=Path, help="a folder that keeps vectors between evaluations")
        parser.add_argument("--queries", type=int, help="ask only so many questions")

    def handle(self, *arguments: Any, **options: Any) -> None:
        try:
            collection = evaluation.read(options["folder"])
            measured = evaluation.evaluate(collection, options["cache"], self.stderr.write, options["queries"])
        except (evaluation.Unusable, GatewayError) as error:
            raise CommandError(str(error)) from error
        self._show(measured)
        if options["json"]:
            self.stdout.write(json.dumps({"name": "evaluate_retrieval", "figures": measured.figures()}))

    def _show(self, measured: Evaluation) -> None:
        figures = measured.figures()
        names = ("ndcg10", "recall10", "recall100", "mrr10")
        self.stdout.write(f"{measured.documents} documents, {measured.questions} questions")
        self.stdout.write(f"{'':<10}" + "".join(f"{name:>11}" for name in names))
        for way in measured.ways:
            if way == "lexical" or measured.has_meaning:
                self.stdout.write(f"{way:<10}" + "".join(f"{figures[f'{way}_{name}']:>11.4f}" for name in names))
        self.stdout.write(
            f"a question takes {figures['query_ms_p50']:.1f} ms (p50), {figures['query_ms_p95']:.1f} ms (p95)"
        )
