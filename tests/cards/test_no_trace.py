"""No trace of a card is left anywhere, whatever happens to it (I18): the real command, and everything that it leaves behind."""

import base64
import binascii
import gc
import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from jobs.cli import run
from schemas.errors import MitbatchError
from tests.cards.desk import CANARY_CODE, SUCCESS, line, piped, tokenize
from tests.night.conftest import MakeHouse
from tests.night.house import House, order

NUMBER = SUCCESS
"""Only a test card may go to the sandbox; this one stands nowhere else in a merchant's folder."""

OTHER = "5425233430109903"
"""A card that may not go there."""


def disguises(number: str) -> dict[str, bytes]:
    """A card number in every form in which something might have written it down."""
    raw = number.encode()
    groups = [number[start : start + 4] for start in range(0, len(number), 4)]
    return {
        "plain": raw,
        "spaced": " ".join(groups).encode(),
        "dashed": "-".join(groups).encode(),
        "first twelve": raw[:12],
        "backwards": raw[::-1],
        "hex": binascii.hexlify(raw),
        "base64": base64.b64encode(raw)[:20],
        "UTF-16": number.encode("utf-16-le"),
        "percent": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "as a number": int(number).to_bytes(8, "big"),
    }


def traces(content: bytes, where: str) -> list[str]:
    """Where a card, or its security code beside its name, stands in this."""
    found = [f"{where}: {name}" for number in (NUMBER, OTHER) for name, form in disguises(number).items() if form in content]
    return found + [f"{where}: the code"] * (b"verification" in content or f'"{CANARY_CODE}"'.encode() in content)


def traces_under(folder: Path) -> list[str]:
    """Where a card stands in any file of a folder, or in a name of one."""
    found = []
    for path in sorted(folder.rglob("*")):
        found += traces(str(path).encode(), "a name")
        if path.is_file():
            found += traces(path.read_bytes(), path.name)
    return found


@pytest.fixture
def merchant(make_house: MakeHouse) -> House:
    """A merchant with orders that wait for a token, and a ledger that has seen a night."""
    house = make_house()
    house.add(*(order(each, payment_token=None, card_last4=None, card_bin=None) for each in "abcdef"))
    house.run()
    return house


LINES = [
    line("a", NUMBER, verification_value=CANARY_CODE),
    line("b", OTHER, verification_value=CANARY_CODE),
    line("nobody", NUMBER, verification_value=CANARY_CODE),
    line(NUMBER, NUMBER),
    line(f"a {OTHER}", NUMBER),
    line("c", NUMBER, first_name=OTHER),
    line("d", NUMBER, **{OTHER: NUMBER}),
    line("e", f"{NUMBER[:15]}5"),
    f"{OTHER},{CANARY_CODE}\n".encode(),
    line("f", NUMBER)[:-4] + b"\n",
    b'{"order_id": "f", "number": "' + NUMBER.encode() * 300 + b'"}\n',
]
"""A good line, and every way that a line can be bad with a card in it."""

FAULTS = ["server_error_before", "server_error_after", "reset_connection", "html_answer", "empty_answer", "token_refused"]


FLAGS = [["--json"], ["--verbose"], ["--quiet"], ["--dry-run"]]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_no_trace_is_left(merchant: House, flags: list[str]) -> None:
    """After good and bad lines no file, output, name, process list or ledger has the card or its code."""
    with subprocess.Popen(
        merchant.command("tokenize", *flags), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdin is not None
        running.stdin.write(LINES[0])
        running.stdin.flush()
        about = [Path(f"/proc/{running.pid}/{name}").read_bytes() for name in ("cmdline", "stat")]
        out, err = running.communicate(b"".join(LINES[1:]), timeout=60)
    assert running.returncode == 10
    assert err == b""

    found = [trace for content in (*about, out, err) for trace in traces(content, "the command")]
    assert found + traces_under(merchant.folder) == []
    assert (merchant.row("a")["card_last4"] == "3184") == (flags != ["--dry-run"])


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_trace_is_left_by_a_failure(merchant: House, fault: str, as_json: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """However the provider fails, no file, output, name, error or ledger has the card or its code."""
    merchant.sandbox.faults.switch_on(fault, where="token" if fault == "token_refused" else "tokenize", times=99)
    said = ""
    try:
        assert tokenize(merchant, LINES, json=as_json) == 10
    except MitbatchError as problem:
        assert fault == "token_refused"
        said = chain_of(problem)
    told = capfd.readouterr()

    found = [trace for words in (told.out, told.err, said) for trace in traces(words.encode(), "the command")]
    assert found + traces_under(merchant.folder) == []
    assert (merchant.row("a")["card_last4"], merchant.sandbox.faults.fired(fault) > 0) == (None, True)


def chain_of(raised: BaseException) -> str:
    """An error with the chain behind it: its trace, its words, and whatever hangs on each of them."""
    seen, error = "".join(traceback.format_exception(raised, chain=True)), raised
    while True:
        seen += repr(vars(error)) + repr(error.args)
        assert not hasattr(error, "request")
        if error.__cause__ is None:
            return seen
        error = error.__cause__


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """Each disguise of a card, in a file or in a name, is found, so that finding nothing means something."""
    for name, form in disguises(OTHER).items():
        (tmp_path / "planted").write_bytes(b"x" + form + b"x")
        assert f"planted: {name}" in traces_under(tmp_path)
    (tmp_path / "planted").write_bytes(b"")
    (tmp_path / NUMBER).touch()
    assert traces_under(tmp_path) != []


@pytest.mark.parametrize(
    "where", ["batch.tokenizing.request_body", "batch.tokenizing.read_card_token", "jobs.tokenize.read_card"]
)
def test_an_error_of_our_own_shows_nothing(
    merchant: House, mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch, where: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An internal error whose own words repeat the card ends with 70, a sentence and a trace without any of it."""
    mocker.patch(where, side_effect=RuntimeError(f"cannot use {NUMBER} {CANARY_CODE}"))
    monkeypatch.chdir(merchant.folder)
    with piped(LINES[0]) as descriptor:
        kept = os.dup(0)
        os.dup2(descriptor, 0)
        try:
            code = run(["--config", str(merchant.config), "--verbose", "tokenize"])
        finally:
            os.dup2(kept, 0)
            os.close(kept)
    told = "".join(capfd.readouterr())

    assert code == 70
    assert "internal error (RuntimeError)" in told
    assert traces(told.encode(), "output") + traces_under(merchant.folder) == []


@pytest.mark.parametrize("fault", ["reset_connection", "unauthorized_once", "token_refused"])
def test_no_exception_carries_a_card(merchant: House, fault: str) -> None:
    """What the command raises has the card neither in its words nor in the chain of errors behind it."""
    merchant.sandbox.faults.switch_on(fault, where="token" if fault == "token_refused" else "tokenize", times=99)
    with pytest.raises(MitbatchError) as raised:
        tokenize(merchant, [line("a"), line("b"), line("c")])

    assert traces(chain_of(raised.value).encode(), "the exception") == []


def test_the_command_line_is_no_place_for_a_card(merchant: House, capfd: pytest.CaptureFixture[str]) -> None:
    """A card as an argument is refused in words that do not repeat it, and so is one as an option or a command."""
    for words in (["tokenize", OTHER], [OTHER], ["tokenize", f"--{OTHER}"], ["nightly", "--date", OTHER, OTHER]):
        assert run(["--config", str(merchant.config), "--json", *words]) == 2
    told = "".join(capfd.readouterr())

    assert "every user of this machine can read it" in told
    assert traces(told.encode(), "output") == []


def test_a_file_is_no_place_for_cards(merchant: House, tmp_path: Path) -> None:
    """Standard input from a file is refused before a byte of it is read."""
    path = tmp_path / "empty.jsonl"
    path.touch()
    with path.open("rb") as file:
        ended = subprocess.run(merchant.command("tokenize"), stdin=file, capture_output=True, check=False, timeout=60)

    assert ended.returncode == 2
    assert b"a file, where no card data may lie" in ended.stderr


def test_the_memory_leaves_no_picture(merchant: House) -> None:
    """While it waits for lines the command has a core limit of nought, and to other users its memory is closed."""
    with subprocess.Popen(merchant.command("tokenize"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(LINES[2])
        running.stdin.flush()
        assert running.stdout.readline().startswith(b"mitbatch tokenize ")
        assert running.stdout.readline().startswith(b"line 1 (order 'nobody')")
        limits = Path(f"/proc/{running.pid}/limits").read_text()
        owner = Path(f"/proc/{running.pid}/maps").stat().st_uid
        running.communicate(timeout=60)

    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.MULTILINE)
    assert owner == 0


def test_no_card_is_left_in_the_objects_that_live_on(merchant: House) -> None:
    """After the command no card, request or body of one is among the objects that Python still holds."""
    assert tokenize(merchant, [line("a")]) == 0
    gc.collect()
    kinds = {"Card", "Request", "ClientRequest", "BytesPayload"}
    left = [type(each).__name__ for each in gc.get_objects() if type(each).__name__ in kinds and NUMBER in repr(vars_of(each))]

    assert left == []


def vars_of(each: object) -> object:
    """An object's attributes, with or without a dictionary."""
    names = getattr(type(each), "__slots__", ())
    return getattr(each, "__dict__", {}) or {name: getattr(each, name, None) for name in names}


if sys.platform != "linux":
    pytest.skip("it looks into /proc", allow_module_level=True)
