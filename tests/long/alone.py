"""One campaign in a process of its own: `python -m tests.long.alone MODULE:FUNCTION SIZE SEED FILE` writes its result there.

So a campaign may wrap libraries, fork and die as it likes: the next part starts fresh.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import cast

from tests.long.campaign import Campaign


def campaign_named(name: str) -> Callable[[int, int], Campaign]:
    """The function that `module:function` names."""
    module, _, function = name.partition(":")
    return cast("Callable[[int, int], Campaign]", getattr(import_module(module), function))


def main(words: list[str]) -> None:
    """Run the campaign and write what it said, with the time of this process and of all that it started."""
    name, size, seed, path = words
    began = time.monotonic()
    told = asdict(campaign_named(name)(int(size), int(seed)))
    told["seconds"] = time.monotonic() - began
    told["cpu_seconds"] = sum(
        used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    Path(path).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
