"""How well and how fast files that others made are read: outcome, strings that must be found, time and memory.

Needs the outside test material (DEV_DATA). A string counts as found when its letters and digits stand in the text in
the same order, compatible forms of letters made equal: spaces, punctuation and Markdown do not count.
"""

import json
import os
import statistics
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from _figures import arguments, show

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from gptbuilder.knowledge import extraction, ocr  # noqa: E402

CLASSES = {
    "ok": "text",
    "needs_password": "password",
    "wrong_password": "password",
    "no_text_layer": "needs_ocr",
    "empty": "empty",
}
QUICK_FILES = 40
PAGES = 300
REPETITIONS = 5


def main() -> None:
    asked = arguments(__doc__)
    folder = Path(os.environ.get("DEV_DATA", "")) / "docs"
    if not (folder / "manifest.jsonl").exists():
        print("skipped: the outside test material is not here (DEV_DATA)")
        return
    rows = list(manifest(folder))
    figures = measure(rows[:: max(1, len(rows) // QUICK_FILES)] if asked.quick else rows)
    show("reading", {**figures, **book(1 if asked.quick else REPETITIONS)}, as_json=asked.json)


def manifest(folder: Path) -> Iterator[tuple[dict, Path]]:
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if (path := folder / row["path"]).exists():
            yield row, path


def measure(rows: list[tuple[dict, Path]]) -> dict[str, float]:
    right = found = wanted = opened = locked = 0
    seconds, peaks = [], []
    for row, path in rows:
        reading = extraction.extract(path, path.name, recognise=False)
        seconds.append(reading.seconds)
        peaks.append(reading.peak_bytes / 1e6)
        is_right = row["expect"] in ("any", CLASSES.get(reading.outcome, "reject"))
        text = letters(" ".join(section.text for section in reading.sections))
        missing = [string for string in row["must_include"] if letters(string) not in text]
        right += is_right
        wanted += len(row["must_include"])
        found += len(row["must_include"]) - len(missing)
        if row["password"]:
            locked += 1
            opened += extraction.extract(path, path.name, row["password"]).outcome == "ok"
        if not is_right or missing:
            print(f"  {row['path']}: {reading.outcome}, expected {row['expect']}; missing {missing} {reading.detail}")
    return {
        "files": len(rows),
        "outcome_right_share": right / len(rows),
        "strings": wanted,
        "strings_found_share": found / max(wanted, 1),
        "passwords_open_share": opened / max(locked, 1),
        "file_ms_p50": statistics.median(seconds) * 1000,
        "file_s_worst": max(seconds),
        "file_mb_worst": max(peaks),
        "ocr": ocr.PROGRAM or "none",
    }


def book(repetitions: int) -> dict[str, float]:
    """A PDF of 300 full pages."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pages())
        file.flush()
        caged = [extraction.extract(Path(file.name), "book.pdf").seconds for _ in range(repetitions)]
    return {"pdf300_s": statistics.median(caged)}


def pages() -> bytes:
    """Sixty lines of twelve words on every page, in one font that every reader has."""
    words = "the quick brown duck swims over a lazy river again and again"
    lines = " ".join(f"({number} {words}) Tj T*" for number in range(60))
    content = f"BT /F 9 Tf 40 800 Td 12 TL {lines} ET".encode()
    kids = " ".join(f"{5 + number} 0 R" for number in range(PAGES))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {PAGES}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(content), content),
        *[
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents 4 0 R>>"
            for _ in range(PAGES)
        ],
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%bendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table) + (
        b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    )
    return bytes(out)


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


if __name__ == "__main__":
    main()
