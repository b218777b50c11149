"""Running one job in a process of its own with the shim preloaded, and reading what the shim wrote down."""

import json
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.power.provider import Provider

REPOSITORY = Path(__file__).resolve().parents[2]
_HEAD = struct.Struct("=cQQII")


@dataclass(frozen=True)
class Effect:
    """One line of the record. Paths are relative to the merchant's folder, the folder itself is "".

    Kinds: C made, O opened, W written at `number`, T cut to `number` bytes, S synced, R renamed (to `content`), U removed,
    D folder made, N bytes leave for the provider.
    """

    kind: str
    inode: int
    number: int
    path: str
    content: bytes

    def words(self) -> str:
        """For the report of a violation."""
        names = {"C": "make", "O": "open", "W": "write", "T": "truncate", "S": "sync", "R": "rename", "U": "remove", "D": "mkdir"}
        return f"{names.get(self.kind, 'send')} {self.path}".strip()


def build_shim(folder: Path) -> Path:
    """Compile the shim; returns the library."""
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(source), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return library


@dataclass(frozen=True)
class Recording:
    """What one job did: its effects in order, what the provider had before each sending and at the end, and its exit code."""

    effects: list[Effect]
    provider: list[dict[str, Any]]
    code: int


def run_recorded(shim: Path, folder: Path, provider: Provider, job: dict[str, Any]) -> Recording:
    """Run a job (see recorded.py) on the merchant's folder; each time before bytes leave, note what the provider has."""
    target = folder.parent / "record.bin"
    target.unlink(missing_ok=True)
    asked, ask = os.pipe()
    go, answer = os.pipe()
    environment = {
        **os.environ,
        "LD_PRELOAD": str(shim),
        "POWER_ROOT": str(folder),
        "POWER_RECORD": str(target),
        "POWER_PORT": str(provider.sftp_port),
        "POWER_ASK": str(ask),
        "POWER_GO": str(go),
    }
    command = [sys.executable, "-m", "tests.power.recorded", str(folder), json.dumps(job)]
    log = (folder.parent / "recorded.log").open("wb")
    with (
        log,
        subprocess.Popen(
            command, env=environment, pass_fds=(ask, go), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=log
        ) as program,
    ):
        os.close(ask)
        os.close(go)
        states = []
        while os.read(asked, 1):
            states.append(provider.record())
            os.write(answer, b"!")
        output, _ = program.communicate()
    os.close(asked)
    os.close(answer)
    assert program.returncode == 0, (folder.parent / "recorded.log").read_text(encoding="utf-8")[-3000:]
    provider.settle()
    states.append(provider.record())
    return Recording(read_record(target, folder), states, json.loads(output)["code"])


def read_record(path: Path, folder: Path) -> list[Effect]:
    """The record's lines."""
    content, root, at = path.read_bytes(), f"{folder}/", 0
    effects = []
    while at < len(content):
        kind, inode, number, text, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        name = content[at : at + text].decode()
        rest = content[at + text : at + text + length]
        at += text + length
        if kind == b"R":
            rest = _relative(rest.decode(), root).encode()
        effects.append(Effect(kind.decode(), inode, number, _relative(name, root), rest))
    return effects


def _relative(path: str, root: str) -> str:
    return "" if path == root.rstrip("/") else path.removeprefix(root)
