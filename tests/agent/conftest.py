"""The kernel's tests need no services."""

import pytest


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """The kernel knows no Redis."""
