"""How often the disk below a folder makes appended bytes durable."""

import os
import time
from pathlib import Path

SIZES = (256, 4096, 16384)


def sync_rates(folder, seconds=2.0):
    """{bytes appended: append + fdatasync pairs a second}, `seconds` for all sizes together."""
    path = Path(folder) / "sync-probe"
    rates = {}
    try:
        for size in SIZES:
            rates[size] = _rate(path, size, seconds / len(SIZES))
    finally:
        path.unlink(missing_ok=True)
    return rates


def _rate(path, size, seconds):
    block = os.urandom(size)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        count = 0
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            os.write(descriptor, block)
            os.fdatasync(descriptor)
            count += 1
        return count / (time.monotonic() - begin)
    finally:
        os.close(descriptor)
