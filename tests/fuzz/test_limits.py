"""The biggest hostile inputs stay within 256 MiB and thirty seconds of the processor."""

import json
import subprocess
import sys


def test_the_biggest_inputs_stay_within_their_limits() -> None:
    """Depth, digits, width, bombs and endless listings are read or refused, never with more memory or time than allowed."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.limits"], stdout=subprocess.PIPE, text=True, check=True, timeout=600
    )
    found = json.loads(ended.stdout)

    assert {name: result for name, result in found.items() if result[0] not in ("read", "refused")} == {}
    assert {name: result for name, result in found.items() if result[1] > 30 or result[2] > 256} == {}
    assert len(found) == 26
