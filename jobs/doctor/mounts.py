"""On what kind of file system a path lies."""

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")


def kind_of_file_system(path: Path) -> str:
    """Its kind as the kernel calls it (ext4, nfs4); empty where the machine does not say."""
    try:
        return kind_in(MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"), os.path.realpath(path))
    except OSError:
        return ""


def kind_in(mounts: str, path: str) -> str:
    """The kind of the mount that holds an absolute path, by the kernel's table; of two on one point, the later one."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1])
        holds = point == "/" or path == point or path.startswith(f"{point}/")
        if holds and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind
