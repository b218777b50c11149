"""A worker of its own: it prepares a world, says which points there are, and then runs one case per line of stdin."""

import gc
import json
import os
import sys
import warnings
from pathlib import Path

from tests.crash.crossings import Crossings, install
from tests.crash.provider import Provider
from tests.crash.world import Case, World, as_json


def main(folder: Path) -> None:
    """Serve until stdin ends. What anybody prints goes to stderr; stdout is for verdicts alone."""
    warnings.simplefilter("error")
    crossings = Crossings()
    with Provider(folder / "provider") as provider:
        install(crossings, folder / "merchant")
        world = World(folder, provider, crossings)
        gc.collect()
        gc.freeze()
        _say({"labels": world.labels})
        for line in sys.stdin:
            question = json.loads(line)
            if "part" in question:
                try_it = world.taken_over if question["dies"] else world.two_at_once
                _say({"violations": try_it(question["part"])})
            else:
                _say(as_json(world.try_case(Case(**question))))


def _say(answer: object) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
