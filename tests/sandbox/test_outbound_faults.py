"""Every fault of outbound files once, as the client that fetches them sees it."""

import csv
import gzip
import io
import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from jobs.sandbox.faults import CATALOGUE
from jobs.sandbox.outbound_faults import TextCall
from tests.sandbox.conftest import START
from tests.sandbox.merchant import api, batch_name, decline, deliver, evaluate_file, sftp, token_ending

TEXT_FAULTS = sorted(name for name, known in CATALOGUE.items() if known.point == "outbound.text")
COMPLETES, EXPIRES = token_ending("a001"), token_ending("a003")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that writes outcome files."""
    options = SandboxOptions(outcome_files=True)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), clock=MovableClock(START), options=options) as sandbox:
        yield sandbox


def outbound(sandbox: Sandbox) -> dict[str, bytes]:
    """Everything in the outbound folder, fetched over SFTP."""
    found = {}
    with sftp(sandbox) as session:
        for entry in session.listdir_attr("outbound"):
            if stat.S_ISREG(entry.st_mode or 0):
                with session.open(f"outbound/{entry.filename}") as file:
                    found[entry.filename] = file.read()
    return found


def acknowledged(sandbox: Sandbox, ids: str = "abc") -> bytes:
    """Deliver a batch and return the acknowledgement as it is at once; empty if there is none."""
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox, id_) for id_ in ids]))
    return next(iter(outbound(sandbox).values()), b"")


def told(sandbox: Sandbox, token: str) -> list[dict[str, Any]]:
    """Send one order, let it end, and return the outcome files of that moment and ten seconds later, oldest first."""
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox, "a", token=token))
    sandbox.advance(timedelta(days=22))
    sandbox.advance(timedelta(seconds=10))
    return [json.loads(content) for _, content in sorted(outbound(sandbox).items(), reverse=True)]


def rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of an acknowledgement."""
    found: list[dict[str, Any]] = json.loads(content)["responses"]
    return found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("duplicate_rows", [("a", "Success"), ("a", "Success"), ("b", "Success"), ("b", "Success")]),
        ("contradictory_rows", [("a", "Success"), ("a", "Failed"), ("b", "Success"), ("b", "Failed")]),
        ("unknown_orders", [("a", "Success"), ("b", "Success"), ("nobody-knows-me", "Success")]),
        ("missing_rows", [("b", "Success")]),
        ("no_rows", []),
    ],
)
def test_faults_of_rows(sandbox: Sandbox, name: str, said: list[tuple[str, str]]) -> None:
    """Rows come twice, contradict each other, are about strangers, or are missing; both orders were accepted."""
    sandbox.faults.switch_on(name)

    assert [(row["orderId"], row["result"]) for row in rows(acknowledged(sandbox, "ab"))] == said
    assert len(sandbox.accepted("evaluate")) == 2


@pytest.mark.parametrize(
    ("name", "token", "words"),
    [
        ("expired_after_approved", COMPLETES, ["COMPLETED", "EXPIRED"]),
        ("approved_after_expired", EXPIRES, ["EXPIRED", "COMPLETED"]),
    ],
)
def test_outcomes_that_contradict_each_other(sandbox: Sandbox, name: str, token: str, words: list[str]) -> None:
    """A second outcome file says another ending of the same order; the read keeps to the truth."""
    sandbox.faults.switch_on(name)
    files = told(sandbox, token)

    assert [file["outcomes"][0]["status"] for file in files] == words
    assert {row["status"] for row in sandbox.orders()} <= {"Completed", "EXPIRED"}


def test_same_name_other_content(sandbox: Sandbox) -> None:
    """Ten seconds later the same name holds the contrary."""
    sandbox.faults.switch_on("same_name_other_content")
    before = rows(acknowledged(sandbox, "a"))
    sandbox.advance(timedelta(seconds=10))
    ((_, content),) = outbound(sandbox).items()

    assert (before[0]["result"], rows(content)[0]["result"]) == ("Success", "Failed")


def test_csv_file(sandbox: Sandbox) -> None:
    """The acknowledgement is CSV: a name ending in .csv, the same names for columns, one line for each row."""
    sandbox.faults.switch_on("csv_file")
    content = acknowledged(sandbox, "ab")
    found = list(csv.DictReader(io.StringIO(content.decode(), newline="")))

    assert list(outbound(sandbox)) == [batch_name(sandbox).replace(".json", "_response.csv")]
    assert [(row["file"], row["orderId"], row["result"]) for row in found] == [
        (batch_name(sandbox), "a", "Success"),
        (batch_name(sandbox), "b", "Success"),
    ]
    assert {"kind", "mid", "sequenceNumber", "orderSessionKey", "status"} <= set(found[0])


def test_a_refused_file_in_csv(sandbox: Sandbox) -> None:
    """A refusal in CSV says so in one line, with the reasons in columns of their own."""
    sandbox.faults.switch_on("csv_file")
    sandbox.faults.switch_on("refuse_file")
    (row,) = csv.DictReader(io.StringIO(acknowledged(sandbox).decode(), newline=""))

    assert (row["result"], row["errors.0.item1"]) == ("failed", "the file is refused on purpose")


def test_faults_of_columns(sandbox: Sandbox) -> None:
    """Properties are added, renamed or put in another order; the document is still JSON."""
    found = {}
    for name in ("added_columns", "renamed_columns", "reordered_columns"):
        sandbox.reset()
        sandbox.faults.switch_on(name)
        found[name] = json.loads(acknowledged(sandbox, "a"))
    added, renamed, reordered = found.values()

    assert (added["version"], added["responses"][0]["score"], added["responses"][0]["orderId"]) == (2, 7, "a")
    assert (renamed["outcome"], renamed["responses"][0]["merchantOrderId"]) == ("success", "a")
    assert list(reordered)[-1] == "file"
    assert list(reordered["responses"][0])[-1] == "sequenceNumber"


def test_other_mid(sandbox: Sandbox) -> None:
    """The acknowledgement is about another account."""
    sandbox.faults.switch_on("other_mid")

    assert json.loads(acknowledged(sandbox))["mid"] != sandbox.mid


def test_encodings(sandbox: Sandbox) -> None:
    """Byte order mark, UTF-16, code page 1252, a mixture, NULs and a cut character: none is plain UTF-8 JSON."""
    found = {}
    for name in ("byte_order_mark", "utf16_file", "cp1252_file", "mixed_encodings", "nul_bytes", "cut_inside_character"):
        sandbox.reset()
        sandbox.faults.switch_on(name)
        found[name] = acknowledged(sandbox)

    assert json.loads(found["byte_order_mark"].decode("utf-8-sig"))["result"] == "success"
    assert json.loads(found["utf16_file"].decode("utf-16"))["result"] == "success"
    assert json.loads(found["cp1252_file"].decode("cp1252"))["city"] == "Z\u00fcrich"
    assert found["nul_bytes"].endswith(bytes(512))
    for name, content in found.items():
        with pytest.raises(ValueError, match=r"."):
            json.loads(content.decode("utf-8"))
        assert content, name


def test_line_ends(sandbox: Sandbox) -> None:
    """Line ends vary and the content stays the same."""
    found = {}
    for name in ("crlf_lines", "mixed_line_ends", "no_last_newline"):
        sandbox.reset()
        sandbox.faults.switch_on("csv_file")
        sandbox.faults.switch_on(name)
        found[name] = acknowledged(sandbox)
    tables = [list(csv.reader(content.decode().splitlines())) for content in found.values()]

    assert tables[0] == tables[1] == tables[2]
    assert found["crlf_lines"].count(b"\r\n") == 4
    assert [found["mixed_line_ends"].count(end) for end in (b"\r", b"\n", b"\r\n")] == [3, 3, 2]
    assert not found["no_last_newline"].endswith(b"\n")


def test_bombs(sandbox: Sandbox) -> None:
    """Too deep, too many digits, too well packed: small files that cost whoever reads them without limits."""
    found = {}
    for name in ("deep_json_file", "huge_number", "gzip_bomb_file", "empty_file"):
        sandbox.reset()
        sandbox.faults.switch_on(name)
        found[name] = acknowledged(sandbox)

    assert found["deep_json_file"].count(b"[") == 100_000
    assert b"9" * 1_000_000 in found["huge_number"]
    assert len(gzip.decompress(found["gzip_bomb_file"])) > 60 * 1024 * 1024
    assert len(found["gzip_bomb_file"]) < 1024 * 1024
    assert found["gzip_bomb_file"][4:8] == bytes(4), "the machine's clock stands in the packing: the same seed gives other bytes"
    assert found["empty_file"] == b""


def test_huge_file(sandbox: Sandbox) -> None:
    """The file says that it has two gigabytes, which it does not take on the sandbox's disk."""
    sandbox.faults.switch_on("huge_file")
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        (entry,) = session.listdir_attr("outbound")
    (path,) = sandbox.outbound.iterdir()

    assert entry.st_size == 2 * 1024**3
    assert path.stat().st_blocks * 512 < 1024 * 1024


def test_growing_file(sandbox: Sandbox) -> None:
    """The file appears with a quarter of its bytes and has them all half a minute later."""
    sandbox.faults.switch_on("growing_file")
    found = [acknowledged(sandbox)]
    for _ in range(3):
        sandbox.advance(timedelta(seconds=10))
        found += outbound(sandbox).values()

    assert [len(content) * 4 // len(found[3]) for content in found] == [1, 2, 3, 4] or len(found[0]) < len(found[1]) < len(
        found[3]
    )
    assert all(found[3].startswith(content) for content in found)
    assert len(rows(found[3])) == 3


def test_late_file(sandbox: Sandbox) -> None:
    """The first file's acknowledgement comes two days late, after that of the second."""
    sandbox.faults.switch_on("late_file")
    with sftp(sandbox) as session:
        for n in (1, 2):
            deliver(session, batch_name(sandbox, n=n), evaluate_file(sandbox, [decline(sandbox, f"a{n}")]))
        first = session.listdir("outbound")
        sandbox.advance(timedelta(days=2))
        both = session.listdir("outbound")

    assert first == [batch_name(sandbox, n=2).replace(".json", "_response.json")]
    assert len(both) == 2


def test_files_that_come_again(sandbox: Sandbox) -> None:
    """A file comes again under its name, or at once under another one, with the same bytes."""
    sandbox.faults.switch_on("repeated_file")
    first = acknowledged(sandbox)
    (path,) = sandbox.outbound.iterdir()
    path.unlink()
    sandbox.advance(timedelta(seconds=10))
    again = outbound(sandbox)
    sandbox.reset()
    sandbox.faults.switch_on("same_content_other_name")
    acknowledged(sandbox)
    twice = outbound(sandbox)

    assert list(again.values()) == [first]
    assert len(twice) == 2
    assert len(set(twice.values())) == 1


def test_folder_and_link(sandbox: Sandbox) -> None:
    """A folder or a link bears the name of the acknowledgement, and a reset cleans both up."""
    kinds = []
    for name in ("folder_instead_of_file", "link_instead_of_file"):
        sandbox.reset()
        sandbox.faults.switch_on(name)
        acknowledged(sandbox)
        with sftp(sandbox) as session:
            (entry,) = session.listdir_attr("outbound")
        kinds.append(stat.S_IFMT(entry.st_mode or 0))
    sandbox.reset()

    assert kinds == [stat.S_IFDIR, stat.S_IFLNK]
    assert list(sandbox.outbound.iterdir()) == []


def test_a_folder_gives_way_to_the_file_of_its_name(sandbox: Sandbox) -> None:
    """What appears ten seconds later under the same name takes the folder's place."""
    sandbox.faults.switch_on("folder_instead_of_file")
    sandbox.faults.switch_on("same_name_other_content")
    acknowledged(sandbox)
    (entry,) = sandbox.outbound.iterdir()
    assert entry.is_dir()
    sandbox.advance(timedelta(seconds=10))
    assert list(outbound(sandbox)) == [entry.name]


def test_a_fault_can_be_limited_to_outcome_files(sandbox: Sandbox) -> None:
    """`where` names the kind of file; the acknowledgement neither feels nor uses up the fault."""
    sandbox.faults.switch_on("empty_file", where="outcomes")
    whole = acknowledged(sandbox, "a")
    sandbox.advance(timedelta(days=22))
    empty = [content for name, content in outbound(sandbox).items() if name.startswith("outcomes_")]

    assert len(rows(whole)) == 1
    assert empty == [b""]


def test_every_file_fault_of_the_catalogue_has_its_id() -> None:
    """Each fault of files, intake and SFTP ends with the ids under which it is known."""
    ours = [known for known in CATALOGUE.values() if not known.point.startswith("api.")]

    assert [known.name for known in ours if not known.sentence.endswith(").")] == []
    assert len(ours) > 60


@pytest.mark.parametrize("as_csv", [False, True])
@pytest.mark.parametrize("first", TEXT_FAULTS)
def test_each_fault_of_the_bytes_strikes_after_each_other(first: str, as_csv: bool) -> None:
    """Whatever one fault has made of a file, the next makes of it what it can: two never end the provider's own work."""
    text = b'{"mid": "x", "responses": []}\n' if not as_csv else "mid,order_id\nx,\u00e9\n".encode()
    struck = TextCall(content=text, as_csv=as_csv)
    CATALOGUE[first].effect(struck)
    for second in TEXT_FAULTS:
        again = TextCall(content=struck.content, as_csv=as_csv)
        CATALOGUE[second].effect(again)
        assert isinstance(again.content, bytes)
