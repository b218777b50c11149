"""Planted bugs: small patches, each of which breaks a promise, and the invariant that must notice it (T9).

Every bug replaces one text of one file, as a tired engineer might. `python -m tests.world.planted SLUG` plants one and
says what its judge says; `--seeds FIRST MOST` lets fresh seeds look for it instead.
"""

from tests.world.planted.actions import ACTIONS
from tests.world.planted.answers import ANSWERS
from tests.world.planted.books import BOOKS
from tests.world.planted.bug import REPOSITORY, Fails, Happens, Planted
from tests.world.planted.calls import CALLS
from tests.world.planted.comparing import COMPARING
from tests.world.planted.decisions import DECISIONS
from tests.world.planted.doors import DOORS
from tests.world.planted.formats import FORMATS
from tests.world.planted.hints import HINTS
from tests.world.planted.holding import HOLDING
from tests.world.planted.noted import NOTED
from tests.world.planted.present import PRESENT
from tests.world.planted.recovery import RECOVERY
from tests.world.planted.sending import SENDING
from tests.world.planted.timing import TIMING

PLANTED = (
    *SENDING,
    *CALLS,
    *HOLDING,
    *ANSWERS,
    *FORMATS,
    *RECOVERY,
    *BOOKS,
    *NOTED,
    *DOORS,
    *ACTIONS,
    *DECISIONS,
    *HINTS,
    *PRESENT,
    *COMPARING,
    *TIMING,
)
"""Every one is caught by the invariant that it names."""

__all__ = ["PLANTED", "REPOSITORY", "Fails", "Happens", "Planted"]
