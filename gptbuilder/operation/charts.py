"""Bars for the operator's page, as plain numbers that a template writes into an SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gptbuilder.operation.figures import Span

WIDTH = 480.0
HEIGHT = 96.0
GAP = 3.0


@dataclass(frozen=True)
class Piece:
    """One coloured rectangle. `kind` is a class of the stylesheet."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """`top` is what the highest bar stands for; 0 when there is nothing to show."""

    pieces: list[Piece]
    top: float
    begins_at: datetime
    width: float = WIDTH
    height: float = HEIGHT


def answers(hours: Sequence[Span]) -> Chart:
    """Answers by hour: whole ones at the bottom, stopped ones above them, failed ones on top."""
    top = max((span.ended for span in hours), default=0)
    return _chart(hours, top, lambda span: [("good", span.answered), ("calm", span.stopped), ("bad", span.failed)])


def first_token(hours: Sequence[Span]) -> Chart:
    """Seconds to the first token by hour: half of the answers below the first piece, 95 % below the second."""
    top = max((span.first_token_p95 or 0.0 for span in hours), default=0.0)
    return _chart(hours, top, _quantiles)


def _quantiles(span: Span) -> list[tuple[str, float]]:
    half = span.first_token_p50 or 0.0
    return [("good", half), ("pale", (span.first_token_p95 or 0.0) - half)]


def _chart(hours: Sequence[Span], top: float, stack: Callable[[Span], list[tuple[str, float]]]) -> Chart:
    step = WIDTH / len(hours)
    pieces = []
    for number, span in enumerate(hours):
        y = HEIGHT
        for kind, value in stack(span):
            if value > 0 and top > 0:
                # A single failure among thousands must still be seen.
                height = max(1.5, value / top * HEIGHT)
                y -= height
                pieces.append(Piece(kind, round(number * step, 2), round(y, 2), round(step - GAP, 2), round(height, 2)))
    return Chart(pieces, top, hours[0].begins_at)
