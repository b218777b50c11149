"""`mitbatch serve` as a program: what it refuses to start with, how it stops, and that a kill loses nothing it answered for."""

import http.client
import json
import random
import signal
import socket
import threading
from datetime import UTC, datetime

import pytest

from tests.night.house import ONHOLD, House, order
from tests.ports import kept_port
from tests.webhooks.serving import Reached, started
from tests.webhooks.signing import payload

RUNNING = {"MITBATCH_WEBHOOK__LISTEN": "127.0.0.1:0", "MITBATCH_WEBHOOK__PUBLIC_HOST": "127.0.0.1:1"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_asked(running_house: House, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end it with 0, at once, and what it had answered for is there."""
    with started(running_house) as (reached, process):
        assert reached.post(reached.signed(payload(), "n-1", date=datetime.now(UTC)))[0] == 200
        process.send_signal(number)
        assert process.wait(timeout=30) == 0

    assert [nonce for nonce, _ in reached.kept()] == ["n-1"]


def test_it_says_where_it_is_in_json(running_house: House) -> None:
    """With `--json` the first line names every address, and the last one is the result."""
    with running_house.start("serve", "--json", **RUNNING) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in process.communicate(timeout=30)[0].splitlines()]

    assert (first["schema"], first["type"]) == ("mitbatch.serve/1", "started")
    assert first["registered"] == "http://127.0.0.1:1/webhooks/flexfactor"
    assert first["webhooks"].startswith("http://127.0.0.1:")
    assert not first["webhooks"].startswith("http://127.0.0.1:0/")
    assert [each["type"] for each in rest] == ["result"]
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"MITBATCH_WEBHOOK__PUBLIC_HOST": ""}, 78, "webhook.public_host is not set"),
        ({"MITBATCH_WEBHOOK__PUBLIC_HOST": "https://hooks.acme.example/x"}, 78, "public_host"),
        ({"MITBATCH_WEBHOOK__PUBLIC_HOST": "hooks.acme.example:443"}, 78, "public_host"),
        ({"MITBATCH_WEBHOOK__LISTEN": "127.0.0.1"}, 78, "webhook.listen"),
        ({"MITBATCH_WEBHOOK__LISTEN": "127.0.0.1:99999"}, 78, "webhook.listen"),
        ({"MITBATCH_WEBHOOK__LISTEN": "no-such-host.invalid:1"}, 78, "Nobody can listen"),
        ({"MITBATCH_WEBHOOK__SUBSCRIBER_KEY_FILE": "nowhere"}, 78, "does not exist"),
        ({"MITBATCH_WEBHOOK__SUBSCRIBER_KEY_FILE": "exposed"}, 78, "can be read by others"),
        ({"MITBATCH_WEBHOOK__SUBSCRIBER_KEY_FILE": "no_key"}, 78, "subscriber_key is not base64"),
    ],
    ids=["no host", "a url", "the port of https", "no port", "a port too high", "a strange host", "no file", "exposed", "no key"],
)
def test_it_does_not_start_half(running_house: House, changed: dict[str, str], code: int, words: str) -> None:
    """A host, an address or a key that is missing or of no use is one sentence and 78, and nothing listens."""
    (running_house.folder / "exposed").write_text("QUJD")
    (running_house.folder / "exposed").chmod(0o644)
    (running_house.folder / "no_key").write_text("not-a-key!")
    (running_house.folder / "no_key").chmod(0o600)
    ended = running_house.cli("serve", **(RUNNING | changed))

    assert (ended.returncode, ended.stdout) == (code, "")
    assert words in ended.stderr
    assert "not-a-key" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_its_key_it_does_not_start(running_house: House) -> None:
    """A subscriber key that is nowhere is a secret that is missing; the sentence names the variable."""
    text = running_house.config.read_text()
    running_house.config.write_text("\n".join(line for line in text.splitlines() if "subscriber_key" not in line))
    ended = running_house.cli("serve", **RUNNING)

    assert ended.returncode == 78
    assert "MITBATCH_WEBHOOK__SUBSCRIBER_KEY" in ended.stderr


def test_a_port_that_is_taken_is_said(running_house: House) -> None:
    """Another program on the same port is one sentence and 78."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = running_house.cli("serve", **(RUNNING | {"MITBATCH_WEBHOOK__LISTEN": listen}))

    assert ended.returncode == 78
    assert listen in ended.stderr


def test_a_ledger_of_another_environment_is_refused(running_house: House) -> None:
    """A ledger that is tied to another API address takes no webhook: exit 30."""
    running_house.add(order("a", payment_token=ONHOLD))
    assert running_house.cli("nightly").returncode == 0
    with kept_port() as port:
        ended = running_house.cli("serve", **RUNNING, MITBATCH_PROVIDER__API_URL=f"http://127.0.0.1:{port}/v1/")

    assert ended.returncode == 30
    assert "api_url" in ended.stderr


def test_the_address_to_register_is_all_that_is_printed(running_house: House) -> None:
    """`webhook url` prints one line for a script; https unless the host is this machine's; without a host it is 78."""
    told = running_house.cli("webhook", "url", MITBATCH_WEBHOOK__PUBLIC_HOST="Hooks.Acme.example:8443")

    assert (told.returncode, told.stdout) == (0, "https://hooks.acme.example:8443/webhooks/flexfactor\n")
    assert running_house.cli("webhook", "url", MITBATCH_WEBHOOK__PUBLIC_HOST="").returncode == 78


@pytest.mark.parametrize("seed", range(2))
def test_a_kill_loses_nothing_that_was_answered(running_house: House, seed: int) -> None:
    """SIGKILL amid a flood: every webhook that was answered with 200 is kept, and what is sent again is kept once."""
    chance = random.Random(seed)  # noqa: S311 - the moment of the kill, no secret
    answered: list[str] = []
    enough = threading.Event()
    goal = chance.randrange(5, 120)
    with started(running_house) as (reached, process):
        senders = [threading.Thread(target=_flood, args=(reached, n, answered, enough, goal)) for n in range(8)]
        for sender in senders:
            sender.start()
        assert enough.wait(60)
        process.send_signal(signal.SIGKILL)
        for sender in senders:
            sender.join()
    before = dict(reached.kept())

    assert len(answered) >= goal
    assert set(answered) <= set(before)
    with started(running_house) as (again, _):
        for nonce in [*answered[:5], "sender-0-new"]:
            delivery = again.signed(payload(ConfirmationId=nonce), nonce, date=datetime.now(UTC))
            status, said = again.post(delivery)
            assert (status, json.loads(said)["result"]) == (200, "stored" if nonce.endswith("new") else "duplicate")
        assert len(again.kept()) == len(before) + 1


def _flood(reached: Reached, sender: int, answered: list[str], enough: threading.Event, goal: int) -> None:
    """Send until the line is cut; note what was answered well."""
    for number in range(100_000):
        nonce = f"sender-{sender}-{number}"
        try:
            status, _ = reached.post(reached.signed(payload(ConfirmationId=nonce), nonce, date=datetime.now(UTC)))
        except (OSError, http.client.HTTPException):
            return
        if status == 200:
            answered.append(nonce)
        if len(answered) >= goal:
            enough.set()
