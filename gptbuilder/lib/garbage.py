"""Python's collector of cycles, for a process that has loaded everything and now serves for days."""

import gc

# New objects before the youngest are looked at. A request makes thousands, and nearly all go without the collector.
ALLOCATIONS = 50_000


def settle() -> None:
    """What is loaded by now stays: the collector never looks at it again, and at new objects less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 20)
