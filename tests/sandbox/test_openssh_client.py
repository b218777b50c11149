"""OpenSSH's own `sftp` speaks with the sandbox (CONTRACT 6.4): a second client, so that no shared mistake hides."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import batch_name, bearer, decline, evaluate_file


@pytest.fixture
def sftp_program() -> str:
    """OpenSSH's client; where CI runs it must be there."""
    found = shutil.which("sftp")
    if found is None and os.environ.get("CI"):
        pytest.fail("install OpenSSH's client: apt-get install openssh-client")
    if found is None:
        pytest.skip("OpenSSH's client is not installed: apt-get install openssh-client")
    return found


def _say(program: str, sandbox: Sandbox, folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script"
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = (
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
        f"UserKnownHostsFile={sandbox.known_hosts_path}",
        "GlobalKnownHostsFile=/dev/null",
    )
    words = [
        program,
        "-o",
        "LogLevel=ERROR",
        "-F",
        "/dev/null",
        "-b",
        str(script),
        "-P",
        str(sandbox.sftp_port),
        "-i",
        str(sandbox.client_key_path),
    ]
    words += [word for option in options for word in ("-o", option)]
    return subprocess.run([*words, f"{sandbox.sftp_username}@127.0.0.1"], capture_output=True, text=True, timeout=30, check=False)


def test_a_batch_goes_in_and_its_answer_comes_out(sandbox: Sandbox, sftp_program: str, tmp_path: Path) -> None:
    """A part is put, renamed, picked up, and the acknowledgement fetched, all by OpenSSH's client."""
    name = batch_name(sandbox)
    local, answer = tmp_path / name, tmp_path / "answer.json"
    local.write_bytes(evaluate_file(sandbox, [decline(sandbox)], bearer(sandbox)))

    done = _say(
        sftp_program,
        sandbox,
        tmp_path,
        f"put {local} inbound/{name}.part",
        f"rename inbound/{name}.part inbound/{name}",
        f"get outbound/{name.removesuffix('.json')}_response.json {answer}",
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(answer.read_bytes())["responses"][0]["status"] == "SUBMITTED"
    assert [each["order_id"] for each in sandbox.accepted("evaluate")] == ["sub-88-2026-12"]


def test_a_folder_outside_is_out_of_reach(sandbox: Sandbox, sftp_program: str, tmp_path: Path) -> None:
    """Nothing above the merchant's own folder can be listed or read."""
    listed = _say(sftp_program, sandbox, tmp_path, "ls -1 /")
    above = _say(sftp_program, sandbox, tmp_path, "ls -1 /..")
    read = _say(sftp_program, sandbox, tmp_path, f"get ../app_key {tmp_path / 'stolen'}")

    assert {line.rsplit("/", 1)[-1].strip() for line in listed.stdout.split("\n")} >= {"inbound", "outbound"}
    assert "app_key" not in listed.stdout + above.stdout
    assert (read.returncode != 0, (tmp_path / "stolen").exists()) == (True, False)


def test_another_host_key_is_noticed(sandbox: Sandbox, sftp_program: str, tmp_path: Path) -> None:
    """After a change of the host key OpenSSH refuses to go on."""
    sandbox.change_host_key()

    refused = _say(sftp_program, sandbox, tmp_path, "ls")

    assert refused.returncode != 0
    assert "verification failed" in refused.stderr
