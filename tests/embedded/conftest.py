"""A data folder that PostgreSQL's unprivileged id may enter; below pytest's tmp_path it may not when root runs it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gptbuilder-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)
