"""Python's collector of cycles, for a process that has loaded everything and now serves for days."""

import gc

# New objects before the youngest are looked at, and looks before those that stayed are. A request makes thousands, and
# nearly all go without the collector; what it must free waits for 500,000 at most.
THRESHOLDS = (20_000, 5, 5)


def settle() -> None:
    """What is loaded by now stays: the collector never looks at it again, and at new objects less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
