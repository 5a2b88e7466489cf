"""Files and data sets that others made, to test against: never part of the project, so the tests find them outside.

`DEV_DATA` names the unpacked folder; without it the archive beside the repository is unpacked once for all tests.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

ARCHIVE = Path(__file__).parents[2] / "shared/data/dev.tar.gz"


@pytest.fixture(scope="session")
def devdata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if folder := os.environ.get("DEV_DATA"):
        return Path(folder)
    if ARCHIVE.exists():
        unpacked = tmp_path_factory.mktemp("devdata")
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(unpacked, filter="data")
        return unpacked
    reason = "the outside test material is not here (DEV_DATA)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
