"""After whatever happened to it, a merchant's books verify: `audit verify` raises no false alarm."""

import pytest
from sqlalchemy import create_engine

from batch.audit import AuditFolder
from batch.ledger_history import LedgerHistory
from batch.ledger_seals import LedgerSeals
from batch.tampering import Tampering
from batch.verifying import Verification
from jobs.databases import begin_ourselves
from tests.world.befores import world_of
from tests.world.schedule import schedule_of
from tests.world.story import Story
from tests.world.world import World

DECIDED, LEFT_OUT = 1089, 2691
"""A person says that a file never came which the day before had booked as delivered; a copy of the day before has grown too
old and leaves its file. The days before must not change.
"""


def what_verify_finds(world: World) -> list[Tampering]:
    """What the command would find in a world's books."""
    engine = create_engine(f"sqlite:///{world.ground.ledger_path}")
    begin_ourselves(engine)
    mid = world.settings.provider.mid
    folder = AuditFolder(world.settings.data_dir / "audit", world.disk)
    seals, history = LedgerSeals(engine.connect, mid), LedgerHistory(engine.connect, mid)
    verification = Verification(seals=seals, history=history, folder=folder, disk=world.disk, settings=world.settings)
    try:
        return verification.verify().tampering
    finally:
        engine.dispose()


@pytest.mark.parametrize("seed", [DECIDED, LEFT_OUT, *range(40)])
def test_no_false_alarm(seed: int) -> None:
    """Crashes, power cuts, second runs and decisions leave books that are as they were written."""
    schedule = schedule_of(seed)
    with world_of(schedule) as world:
        story = Story(world, schedule)
        story.tell()
        if not (story.edited or story.restored):
            assert what_verify_finds(world) == []
