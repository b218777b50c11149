"""The example of a container keeps to the rules that can be checked without building it."""

import re
import tomllib
from dataclasses import dataclass

import pytest

from tests.house.source import ROOT

TEXT = (ROOT / "jobs" / "examples" / "Containerfile").read_text(encoding="utf-8")
PINNED = re.compile(r"[a-z0-9.-]+\.[a-z]+/[a-z0-9/._-]+(:\d+\.\d+\.\d+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Line:
    """One instruction with its words."""

    name: str
    words: str


def instructions(text: str) -> list[Line]:
    """The instructions of a Containerfile, continued lines joined, without comments."""
    joined = re.sub(r"\\\n\s*", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [Line(*line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def complaints(text: str) -> list[str]:
    """What a reviewer would send back."""
    lines, found, stages = instructions(text), list[str](), set[str]()
    for line in lines:
        if line.name == "FROM":
            image, _, stage = line.words.partition(" AS ")
            stages |= {stage} - {""}
            found += [] if PINNED.fullmatch(image) else [f"{image} is not pinned"]
        if line.name == "ADD":
            found.append("ADD fetches and unpacks; COPY does neither")
        if line.name in ("ENV", "ARG") and re.search(r"KEY|SECRET|TOKEN|PASSWORD", line.words):
            found.append(f"{line.name} {line.words} may hold a secret")
        if line.name == "COPY":
            found += _unfit_copy(line.words.split(), stages)
        if line.name == "RUN" and "pip install" in line.words:
            installs = re.findall(r"pip install ([^&]*)", line.words)
            found += [f"pip install {each}" for each in installs if "--require-hashes" not in each and "--no-deps" not in each]
        if line.name in ("ENTRYPOINT", "CMD") and not line.words.startswith("["):
            found.append(f"{line.name} goes through a shell, which keeps signals from the program")
    return [*found, *_unfit_user(lines)]


def _unfit_copy(words: list[str], stages: set[str]) -> list[str]:
    if words[0].startswith("--from="):
        return [] if words[0].removeprefix("--from=") in stages else [f"no stage {words[0]}"]
    missing = [f"{path} is not there" for path in words[:-1] if not (ROOT / path).exists()]
    return [*missing, *(["everything around it is copied, secrets as well"] if "." in words[:-1] else [])]


def _unfit_user(lines: list[Line]) -> list[str]:
    names = [line.name for line in lines]
    if "USER" not in names:
        return ["it runs as root"]
    last = len(names) - 1 - names[::-1].index("USER")
    user = lines[last].words
    found = [] if user.isdigit() and int(user) >= 1000 else [f"user {user}: a number of its own, so that it is not root"]
    return found + [f"{name} after USER" for name in names[last:] if name in ("RUN", "COPY", "FROM")]


def test_nobody_would_send_it_back() -> None:
    """Bases are pinned, the user is not root, the program alone is copied, installs are by hash, no shell is between."""
    assert complaints(TEXT) == []


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("python:3.11.13-slim-bookworm AS", "python:latest AS", "is not pinned"),
        ("docker.io/library/python:3.11.13", "python:3.11.13", "is not pinned"),
        ("USER 10001", "USER root", "user root"),
        ("USER 10001\n", "", "runs as root"),
        ("COPY jobs jobs", "COPY . .", "everything around it"),
        ("COPY jobs jobs", "COPY job job", "job is not there"),
        ("--from=build", "--from=bulid", "no stage"),
        ("--require-hashes ", "", "pip install"),
        ('CMD ["schedule"]', "CMD schedule", "through a shell"),
        ("STOPSIGNAL", "ENV MITBATCH_PROVIDER__APP_SECRET=x\nSTOPSIGNAL", "may hold a secret"),
        ("STOPSIGNAL", "RUN id\nSTOPSIGNAL", "RUN after USER"),
        ("COPY jobs jobs", "ADD jobs jobs", "ADD fetches"),
    ],
)
def test_what_would_be_sent_back_is_found(before: str, after: str, complaint: str) -> None:
    """Each rule finds a file that breaks it."""
    assert before in TEXT
    assert any(complaint in each for each in complaints(TEXT.replace(before, after)))


def test_what_is_copied_makes_the_program() -> None:
    """The build has what pyproject.toml names, a lock with a hash for every package, and a Python that the program takes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    copied = {path for line in instructions(TEXT) if line.name == "COPY" for path in line.words.split()[:-1]}
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    locked = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert packages | {"pyproject.toml", "requirements.lock", project["project"]["readme"]} <= copied
    assert [each for each in locked if re.match(r"[a-z0-9]", each) and "--hash=sha256:" not in each] == []
    (version,) = set(re.findall(r"python:(\d+\.\d+)\.", TEXT))
    assert tuple(map(int, version.split("."))) >= tuple(
        map(int, project["project"]["requires-python"].removeprefix(">=").split("."))
    )


def test_what_must_last_is_in_the_volume() -> None:
    """The program works in the volume, which belongs to its user, and stops by the signal that lets a step end."""
    lines = {line.name: line.words for line in instructions(TEXT)}

    assert lines["WORKDIR"] == lines["VOLUME"] == "/var/lib/mitbatch"
    (added,) = [line.words for line in instructions(TEXT) if "useradd" in line.words]
    assert f"--uid {lines['USER']} " in added
    assert f"--home-dir {lines['VOLUME']} --create-home" in added
    assert lines["STOPSIGNAL"] == "SIGTERM"
