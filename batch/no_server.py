"""The provider's SFTP server of a merchant who has none: whoever needs it after all is told so, and nothing is sent."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from schemas.errors import SftpNotSet

if TYPE_CHECKING:
    from batch.sftp_channel import RemoteName


class NoServer:
    """`ProviderFolder` without a section [sftp]. Every step raises SftpNotSet."""

    def write_part(self, name: str, content: bytes) -> NoReturn:
        """Raise SftpNotSet."""
        _refuse(f"write {name}")

    def rewrite_part(self, name: str, content: bytes, on_proof: Callable[[], None]) -> NoReturn:
        """Raise SftpNotSet."""
        _refuse(f"write {name}")

    def size_of(self, name: str) -> NoReturn:
        """Raise SftpNotSet."""
        _refuse(f"look for {name}")

    def publish(self, part: str, name: str) -> NoReturn:
        """Raise SftpNotSet."""
        _refuse(f"rename {part}")

    def sha256_of(self, name: str, limit: int) -> NoReturn:
        """Raise SftpNotSet."""
        _refuse(f"look into {name}")

    def answers(self) -> "list[RemoteName]":
        """Raise SftpNotSet."""
        _refuse("collect the answers to files")

    def fetch(self, name: str, limit: int) -> NoReturn:
        """Raise SftpNotSet."""
        _refuse(f"read {name}")


def _refuse(what: str) -> NoReturn:
    raise SftpNotSet(
        f"The settings have no section [sftp], which is needed to {what}.",
        next_step="Put the section back until every file is answered.",
    )
