"""Whether something may leave at this very moment: switches are looked at again before each step that sends (I25).

The look stands inside the transaction of an intent, or right before a part is written, renamed or called. So what is turned
off meanwhile stops everything but the one step in hand. What was claimed and cannot have left is withdrawn and free again;
a file whose part was verified once cannot be taken back, because its rename may be carried out late: it waits, held, until
it is switched on again, and is not renamed before. If nobody ever does, the item about its overdue orders tells of it.
"""

from sqlalchemy import Connection

from batch.equipment import Equipment
from batch.ledger import Batch
from batch.ledger.copies import sites_of_copies
from batch.ledger.reading import kinds_in_file
from batch.ledger.switches import switched_off
from batch.switching import Switches, switch_names
from schemas.order import Origin


def switches_in(connection: Connection, equipment: Equipment) -> Switches:
    """How the switches stand in this transaction."""
    settings = equipment.settings
    return Switches(settings, switched_off(connection, equipment.ledger.mid, switch_names(settings)))


def switches_now(equipment: Equipment) -> Switches:
    """How the switches stand now."""
    with equipment.ledger.reading() as connection:
        return switches_in(connection, equipment)


def must_wait(connection: Connection, equipment: Equipment, batch: Batch) -> bool:
    """Whether a batch may not leave as it is: sending is paused, or something in it is switched off."""
    switches = switches_in(connection, equipment)
    if batch.kind == "transmit":
        is_off = equipment.settings.channels.transmit == "off"
        return is_off or any(map(switches.of_copy, sites_of_copies(connection, equipment.ledger.mid, batch.batch_id)))
    kinds = kinds_in_file(connection, equipment.ledger.mid, batch.batch_id)
    return switches.is_paused or any(switches.refusal(site, Origin(origin)) for site, origin in kinds)


def must_wait_now(equipment: Equipment, batch: Batch) -> bool:
    """The same, read by itself."""
    with equipment.ledger.reading() as connection:
        return must_wait(connection, equipment, batch)
