"""How many processes a test kills, and how far it is: `make soak` kills a thousand."""

import os
import sys
import time
from pathlib import Path

WRITER = str(Path(__file__).with_name("writer.py"))


def kills(default):
    """Yield the number of each kill; say every now and then how far it is, for those who watch."""
    count = int(os.environ.get("SOAK_KILLS", default))
    start = time.monotonic()
    for n in range(count):
        if n and n % 25 == 0:
            left = (time.monotonic() - start) / n * (count - n)
            sys.stderr.write(f"{n} of {count} kills, {left / 60:.0f} minutes to go\n")
        yield n
