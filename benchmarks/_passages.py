"""Made-up knowledge for measuring: a book as PDF, a long text, and a million passages written past the indexing.

The vectors are a mixture of fixed seed: CENTRES directions, and around each as much spread as makes an approximate
search miss some (uniformly random vectors are all equally far from each other, and tell nothing).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy

SEED = 2718
DIMENSIONS = 384
CENTRES = 1000
SPREAD = 1.8
CONTENT_PASSAGES = 1000
VOCABULARY = 50_000
WORDS_EACH = 40
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"

Numbers = numpy.ndarray


def prose(generator: numpy.random.Generator, words: int) -> str:
    """Sentences of words as often as words are in a language."""
    letters = numpy.array(list("etaoinshrdlucmfwypvbgk"))
    ids = numpy.minimum(generator.zipf(1.3, words), 4000)
    spelled = {
        number: "".join(letters[numpy.random.default_rng(number).integers(0, 22, 2 + number % 9)])
        for number in set(ids.tolist())
    }
    text = [spelled[number] for number in ids.tolist()]
    for at in range(11, words, 12):
        text[at] += "."
    return " ".join(text)


def text_of(size_bytes: int) -> str:
    generator = numpy.random.default_rng(SEED)
    parts: list[str] = []
    size = 0
    while size < size_bytes:
        part = f"# Chapter {len(parts) + 1}\n\n" + "\n\n".join(prose(generator, 90) for _ in range(8))
        parts.append(part)
        size += len(part) + 2
    return "\n\n".join(parts)[:size_bytes]


def book(pages: int) -> bytes:
    """A PDF of plain pages, each with about 400 words."""
    generator = numpy.random.default_rng(SEED)
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for _ in range(pages):
        words = prose(generator, 400).split()
        lines = [" ".join(words[at : at + 11]) for at in range(0, len(words), 11)]
        shown = "\n".join(f"({line}) Tj T*" for line in lines)
        stream = f"BT /F1 11 Tf 14 TL 56 780 Td\n{shown}\nET".encode()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(kids))
    written, places = b"%PDF-1.4\n", []
    for number, value in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(written))
    )


class Mixture:
    """Points around CENTRES directions, as halves; the same for the same seed."""

    def __init__(self) -> None:
        self._centres = _unit(numpy.random.default_rng(SEED).standard_normal((CENTRES, DIMENSIONS), numpy.float32))

    def points(self, seed: int, count: int) -> Numbers:
        generator = numpy.random.default_rng([SEED, seed])
        near = self._centres[generator.integers(0, CENTRES, count)]
        noise = generator.standard_normal((count, DIMENSIONS), numpy.float32) * (SPREAD / DIMENSIONS**0.5)
        return _unit(near + noise).astype(numpy.float16)


def words_of(number: int) -> str:
    return f"w{number:05d}"


def questions(count: int) -> list[str]:
    """Six words each, from those in a fifth of the passages to those in one of some thousands, each rank as likely as
    its tenfold."""
    generator = numpy.random.default_rng([SEED, 99])
    ranks = numpy.exp(generator.uniform(numpy.log(5), numpy.log(1500), (count, 6))).astype(int)
    return [" ".join(words_of(number) for number in row) for row in ranks.tolist()]


def postings(seed: int, first_passage: int, count: int) -> Iterator[tuple[str, int, bytes]]:
    """The inverted index of a content whose passages have these ids: words with how many passages, and entries."""
    generator = numpy.random.default_rng([SEED, seed, 1])
    ranks = numpy.minimum((generator.pareto(0.9, (count, WORDS_EACH)) * 12).astype(numpy.int64), VOCABULARY - 1)
    flat = ranks.ravel() * count + numpy.repeat(numpy.arange(count), WORDS_EACH)
    pairs, often = numpy.unique(flat, return_counts=True)
    entries = numpy.zeros(len(pairs), dtype=[("passage", ">i8"), ("count", ">i2"), ("length", ">i2")])
    entries["passage"], entries["count"], entries["length"] = first_passage + pairs % count, often, WORDS_EACH
    lexemes, starts = numpy.unique(pairs // count, return_index=True)
    for lexeme, some in zip(lexemes.tolist(), numpy.split(entries, starts[1:]), strict=True):
        yield words_of(lexeme), len(some), some.tobytes()


def vector_rows(index_id: int, content_id: str, first_passage: int, points: Numbers) -> bytes:
    """Rows of knowledge_vector (index, content, passage, sha256, embedding) in COPY's binary form."""
    name = content_id.encode()
    head = struct.pack(">hi", points.shape[1], 0)[:2] + b"\0\0"
    rows = []
    for at, point in enumerate(points.astype(">f2")):
        data = head + point.tobytes()
        sha256 = f"{first_passage + at:064x}".encode()
        rows.append(
            struct.pack(">hiqi", 5, 8, index_id, len(name)) + name
            + struct.pack(">iqi", 8, first_passage + at, 64) + sha256
            + struct.pack(">i", len(data)) + data
        )  # fmt: skip
    return b"".join(rows)


def _unit(points: Numbers) -> Numbers:
    return points / numpy.linalg.norm(points, axis=1, keepdims=True)
