"""A worker of its own: it prepares a world, tells what it found out, and then runs one case per line of stdin."""

import gc
import json
import os
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

from tests.compiled import share_compiled_statements
from tests.crash.crossings import Crossings, install
from tests.crash.provider import Provider
from tests.crash.races import Race, run_race
from tests.crash.turns import taken_over, two_at_once
from tests.crash.world import Case, World, as_json


def main(folder: Path) -> None:
    """Serve until stdin ends. What anybody prints goes to stderr; stdout is for verdicts alone."""
    warnings.simplefilter("error")
    share_compiled_statements()
    crossings = Crossings()
    with Provider(folder / "provider") as provider:
        install(crossings, folder / "merchant")
        world = World(folder, provider, crossings)
        gc.collect()
        gc.freeze()
        _say_what_it_found(world)
        for line in sys.stdin:
            question = json.loads(line)
            if "first" in question:
                _say(asdict(run_race(world, Race(**question))))
            elif "taken" in question:
                _say({"violations": world.kill_in_flight(question["taken"])})
            elif "part" in question:
                try_it = taken_over if question["dies"] else two_at_once
                _say({"violations": try_it(world, question["part"])})
            elif "bug" in question:
                world.plant(**question)
                _say_what_it_found(world)
            else:
                _say(as_json(world.try_case(Case(**question))))


def _say_what_it_found(world: World) -> None:
    _say({"labels": world.labels, "durations_ms": world.durations_ms})


def _say(answer: object) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
