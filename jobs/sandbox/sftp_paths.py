"""Which paths an SFTP client may name: the two folders and plain names inside them. Pure."""

import posixpath
import unicodedata

INBOUND = "inbound"
OUTBOUND = "outbound"
_MAX_NAME_BYTES = 200


class PathRefused(PermissionError):
    """A path that leaves the account's folders, or a name with characters that no file needs."""

    def __init__(self, why: str) -> None:
        super().__init__(13, why)


def place_of(path: bytes) -> tuple[str, str]:
    """Split a client's path into folder and name: ("", "") is the root, ("inbound", "") a folder.

    Raises `PathRefused` for a step upwards, a control character, a backslash, a name that is too long or not UTF-8,
    and `FileNotFoundError` for any other folder or depth.
    """
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        why = "the path is not UTF-8"
        raise PathRefused(why) from None
    steps = [step for step in text.split("/") if step not in ("", ".")]
    for step in steps:
        if step == ".." or "\\" in step or any(unicodedata.category(character)[0] == "C" for character in step):
            why = "the path has a step upwards, a backslash or a control character"
            raise PathRefused(why)
        if len(step.encode()) > _MAX_NAME_BYTES:
            why = f"a name is longer than {_MAX_NAME_BYTES} bytes"
            raise PathRefused(why)
    if not steps:
        return "", ""
    if len(steps) > 2 or steps[0] not in (INBOUND, OUTBOUND):
        raise FileNotFoundError(2, "no such file", posixpath.basename(text))
    return steps[0], steps[1] if len(steps) == 2 else ""


def inbound_name(path: bytes) -> str:
    """The name of a file in the inbound folder, the only place that a client may change. Raises `PathRefused`."""
    folder, name = place_of(path)
    if folder != INBOUND or not name:
        why = "only files in the inbound folder may be written, renamed or removed"
        raise PathRefused(why)
    return name
