"""A cage of each kind, shared by the tests of a module."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gptbuilder.sandbox import Cage


@pytest.fixture(scope="module", params=["namespaces", "landlock"])
def cage(request) -> Iterator[Cage]:
    cage = Cage([request.param])
    cage.approve(os.path.realpath("/bin/cat"))
    cage.approve("/usr/bin/env")
    require(cage)
    yield cage
    cage.close()


def require(cage: Cage) -> None:
    """On a developer's machine one kind may be missing; where changes are judged none may."""
    if cage.backend().name == "none":
        if os.environ.get("CI") == "true":
            pytest.fail(cage.backend().reason)
        pytest.skip(cage.backend().reason)
