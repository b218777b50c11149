"""Chance, as a seed decides it: independent of hash seeds, of the order of calls elsewhere, and of the machine."""

import hashlib
import random


def dice(seed: int, *about: object) -> random.Random:
    """A source of chance of its own for each subject, so that one more draw here changes nothing there."""
    digest = hashlib.sha256("\n".join(str(each) for each in (seed, *about)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - the very point is that it can be repeated
