"""The recorded process: one job of the product on a standing clock, with ids that a seed decides."""

import json
import sys
import uuid
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from jobs.clock import MovableClock
from jobs.night import run_with
from jobs.output import Options
from jobs.settings_file import load_settings


def main(folder: Path, job: dict[str, Any]) -> None:
    """Run the job and print its exit code. The seed makes names and ids the same in every recording."""
    chance = Random(job["seed"])  # noqa: S311 - not for secrets
    uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
    path = folder / "mitbatch.toml"
    clock = MovableClock(datetime.fromisoformat(job["now"]))
    settings, options = load_settings(path), Options(config=path, quiet=True)
    report, _ = run_with(settings, options, job["name"], "", everything=job["everything"], clock=clock)
    print(json.dumps({"code": int(report.code)}))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
