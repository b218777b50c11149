"""Whether the provider's SFTP server has to be asked at all."""

from batch.equipment import Equipment
from batch.ledger.batches import files_open, open_files
from schemas.errors import SftpNotSet


def files_are_in_use(equipment: Equipment) -> bool:
    """Whether anything travels as a file, or did and is still open: who sends by calls alone need not reach the SFTP server.

    Without a section [sftp], orders that travelled in a file which was answered are settled by reads alone.
    """
    channels, mid = equipment.settings.channels, equipment.ledger.mid
    if "sftp" in (channels.evaluate, channels.transmit):
        return True
    with equipment.ledger.reading() as connection:
        if equipment.settings.sftp is None:
            return bool(open_files(connection, mid))
        return files_open(connection, mid)


def refuse_missing_server(equipment: Equipment) -> None:
    """Raise SftpNotSet when files are unsent or unanswered and the settings name no server: they go as files, or not at all."""
    if equipment.settings.sftp is not None:
        return
    with equipment.ledger.reading() as connection:
        left = open_files(connection, equipment.ledger.mid)
    if left:
        one = len(left) == 1
        raise SftpNotSet(
            f"The settings have no section [sftp], and {len(left):,} {'file is' if one else 'files are'} not settled"
            f" ({', '.join(left[:3])}).",
            next_step=f"Put the section back until {'it is' if one else 'they are'} answered; new orders go by calls even so.",
        )
