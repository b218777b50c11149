"""The server that webhooks come to, over real sockets: what it keeps, what it refuses, what it tells."""

import http.client
import json
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from batch.webhooks import MOST_BODY_BYTES, PATH
from tests.night.house import ONHOLD, House, order
from tests.webhooks.keeping import about
from tests.webhooks.serving import Reached, served
from tests.webhooks.signing import Delivery, payload


@pytest.fixture
def reached(house: House) -> Iterator[Reached]:
    """A server that answers."""
    with served(house) as found:
        yield found


def test_a_webhook_is_kept_before_it_is_answered(reached: Reached) -> None:
    """200 means that it stands in the ledger, byte for byte."""
    delivery = reached.signed(payload(), "n-1")

    assert reached.post(delivery) == (200, b'{"result":"stored"}')
    assert reached.kept() == [("n-1", delivery.body)]


def test_a_replay_changes_nothing(reached: Reached) -> None:
    """The very same request again is answered well and changes nothing; hours later, it is too old."""
    delivery = reached.signed(payload(), "n-1")
    reached.post(delivery)
    before = reached.house.ledger_rows()

    assert reached.post(delivery) == (200, b'{"result":"duplicate"}')
    reached.house.clock.advance(timedelta(hours=3))
    assert reached.post(delivery.with_header("Host", "other.example")) == (401, b"")
    assert reached.house.ledger_rows() == before


FORGERIES = {
    "another key": {"key": "QQ==" * 16},
    "another host": {"host": "hooks.acme.example"},
    "an older date": {"date": "Mon, 23 Nov 2026 05:30:00 GMT"},
    "a later date": {"date": "Mon, 23 Nov 2026 07:30:00 GMT"},
    "another body's hash": {"content": b"{}"},
}


@pytest.mark.parametrize("changed", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_webhook_is_refused(reached: Reached, changed: dict[str, object]) -> None:
    """Signed otherwise than for us, just now, over this body: 401, no reason is given, and the ledger is as it was."""
    before = reached.house.ledger_rows()

    assert reached.post(reached.signed(payload(), "n-1", **changed)) == (401, b"")
    assert reached.house.ledger_rows() == before


@pytest.mark.parametrize("name", ["x-fc-nonce", "x-fc-date", "x-fc-content-sha512", "x-fc-authorization"])
def test_a_changed_or_missing_header_is_refused(reached: Reached, name: str) -> None:
    """With any header of the signature missing, changed, emptied or endless, it is 401 or not read, and nothing is kept."""
    genuine = reached.signed(payload(), "n-1")
    value = genuine.headers[name]
    for changed in (None, "", value[:-3] + "AAA", f"{value} ", value * 3, "x" * 5000):
        status, _ = reached.post(genuine.with_header(name, changed))
        assert status == (200 if changed == f"{value} " else 401)  # a space at a value's end is no part of it in HTTP
    assert reached.call("POST", PATH, genuine.body, genuine.headers | {name: "x" * 20000})[0] in (400, 401)
    assert [nonce for nonce, _ in reached.kept()] == ["n-1"]


def test_a_changed_byte_is_refused(reached: Reached) -> None:
    """A body that differs by one byte anywhere is refused."""
    genuine = reached.signed(payload(), "n-1")
    for at in range(0, len(genuine.body), 16):
        body = bytearray(genuine.body)
        body[at] ^= 1
        assert reached.post(replace(genuine, body=bytes(body)))[0] == 401
    assert reached.kept() == []


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8", "x", "", None])
def test_any_content_type_will_do(reached: Reached, content_type: str | None) -> None:
    """The body is read raw, whatever it is called."""
    assert reached.post(reached.signed(payload(), "n-1").with_header("Content-Type", content_type))[0] == 200


def test_the_largest_body_is_taken_and_no_larger_one(reached: Reached) -> None:
    """64 KiB are read, a byte more is refused by its announced length alone, and in pieces as soon as it is too much."""
    largest = reached.signed(b"x" * MOST_BODY_BYTES, "n-1")
    larger = reached.signed(b"x" * (MOST_BODY_BYTES + 1), "n-2")

    assert reached.post(largest)[0] == 200
    assert reached.post(larger)[0] == 413
    assert _answered(reached, _head(larger, "Content-Length: 99999999999999999999")) == 413
    assert (
        _answered(reached, _head(larger, "Transfer-Encoding: chunked") + b"8000\r\n" + b"x" * 0x8000 + b"\r\n" * 1, endless=True)
        == 413
    )
    assert [nonce for nonce, _ in reached.kept()] == ["n-1"]


def test_a_body_in_pieces_is_whole(reached: Reached) -> None:
    """A body that comes chunk by chunk is put together before it is judged."""
    delivery = reached.signed(payload(), "n-1")
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (delivery.body[:9], delivery.body[9:]))

    assert _answered(reached, _head(delivery, "Transfer-Encoding: chunked") + pieces + b"0\r\n\r\n") == 200
    assert reached.kept() == [("n-1", delivery.body)]


def test_a_slow_body_is_given_up(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come in time is 408, and others are answered meanwhile."""
    monkeypatch.setattr("jobs.serve.bodies.MOST_SECONDS", 0.3)
    slow = reached.signed(payload(), "n-1")
    with socket.create_connection(("127.0.0.1", reached.port), timeout=20) as line:
        line.sendall(_head(slow, f"Content-Length: {len(slow.body)}") + slow.body[:-1])
        assert reached.post(reached.signed(payload(), "n-2"))[0] == 200
        assert line.recv(1000).startswith(b"HTTP/1.1 408")
        assert _is_closed(line)
    assert [nonce for nonce, _ in reached.kept()] == ["n-2"]


def test_a_head_that_never_ends_is_given_up(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that says nothing, or half a head, is closed in time, and so is one between two requests."""
    monkeypatch.setattr("jobs.serve.connection.MOST_SECONDS", 0.3)
    for said in (b"", b"POST /webhooks", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /he"):
        with socket.create_connection(("127.0.0.1", reached.port), timeout=20) as line:
            line.sendall(said)
            while line.recv(1000):
                pass


def test_one_connection_carries_many(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests one after the other on one connection are answered, however long they pause in between in sum."""
    monkeypatch.setattr("jobs.serve.connection.MOST_SECONDS", 1.5)
    with closing(http.client.HTTPConnection("127.0.0.1", reached.port, timeout=20)) as line:
        for number in range(5):
            delivery = reached.signed(payload(), f"n-{number}")
            line.request("POST", PATH, delivery.body, delivery.headers)
            answer = line.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"result":"stored"}')
            time.sleep(0.4)  # the pauses are what is tried here
    assert len(reached.kept()) == 5


def test_a_cut_body_keeps_nothing(reached: Reached) -> None:
    """A sender that hangs up in the midst of its body leaves nothing behind, and the next one is answered."""
    cut = reached.signed(payload(), "n-1")
    with socket.create_connection(("127.0.0.1", reached.port), timeout=20) as line:
        line.sendall(_head(cut, f"Content-Length: {len(cut.body)}") + cut.body[:-1])
    assert reached.post(reached.signed(payload(), "n-2"))[0] == 200
    assert [nonce for nonce, _ in reached.kept()] == ["n-2"]


def test_many_at_once_are_kept_once_each(reached: Reached) -> None:
    """Two hundred webhooks from sixteen senders, each of them three times: all are answered, each is kept once."""
    deliveries = [reached.signed(payload(ConfirmationId=str(n)), f"n-{n}") for n in range(200)]
    with ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(lambda n: reached.post(deliveries[n % 200]), range(600)))

    assert answers == {(200, b'{"result":"stored"}'): 200, (200, b'{"result":"duplicate"}'): 400}
    assert sorted(reached.kept()) == sorted((d.headers["x-fc-nonce"], d.body) for d in deliveries)


def test_what_cannot_be_kept_is_sent_again(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger cannot be written, the answer is 503; afterwards the same request is kept."""
    monkeypatch.setattr("jobs.serve.group_commit.MOST_SECONDS", 0.3)
    monkeypatch.setattr("jobs.serve.app.LOOK_SECONDS", 0.3)
    delivery = reached.signed(payload(), "n-1")
    with closing(sqlite3.connect(reached.house.ledger_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert reached.post(delivery) == (503, b"")
        assert reached.ask("/health") == (
            503,
            {"schema": "mitbatch.health/1", "status": "failing", "ledger": "busy"}
            | {"webhooks_waiting": None, "oldest_waiting_seconds": None},
        )
        assert reached.ask("/holds/a")[0] == 200
        other.execute("ROLLBACK")
    monkeypatch.undo()

    assert reached.post(delivery)[0] == 200
    assert [nonce for nonce, _ in reached.kept()] == ["n-1"]


def test_a_store_that_fails_answers_nobody_well(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong while a group is kept, everybody in it is told to send again, and the next group is kept."""

    def fails(_ledger: object, _arrivals: object) -> list[bool]:
        raise ZeroDivisionError

    monkeypatch.setattr("jobs.serve.server.store_webhooks", fails)
    assert reached.post(reached.signed(payload(), "n-1")) == (503, b"")
    monkeypatch.undo()
    assert reached.post(reached.signed(payload(), "n-1")) == (200, b'{"result":"stored"}')


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PATH, 405),
        ("PUT", PATH, 405),
        ("POST", f"{PATH}/", 404),
        ("POST", "/", 405),
        ("POST", "/holds/a", 405),
        ("POST", "/metrics", 405),
        ("GET", "/nothing", 404),
        ("GET", "/holds/", 400),
        ("GET", "/holds/%FF", 400),
        ("GET", "/holds/%00", 400),
    ],
)
def test_other_paths_lead_nowhere(reached: Reached, method: str, path: str, status: int) -> None:
    """Another path or method is refused and keeps nothing."""
    answered, _ = reached.call(method, path, b"{}" if method != "GET" else None)

    assert (answered, reached.kept()) == (status, [])


AWKWARD = ("000471", "a/b", "%2F", "1E10", "\u00e4 b?c#d", "..", "A&b=c")


def test_holds_are_told_as_the_command_tells_them(reached: Reached, capsys: pytest.CaptureFixture[str]) -> None:
    """`GET /holds/ORDER` answers the very object of `holds check --json`, for any order id, held, free and unknown."""
    from jobs.cli import run

    house = reached.house
    house.add(*(order(each) for each in AWKWARD[:3]))
    house.run()
    house.add(*(order(each) for each in AWKWARD[3:]))
    for order_id in (*AWKWARD, "nobody's"):
        status, told = reached.ask(f"/holds/{quote(order_id, safe='')}")
        code = run(["--config", str(house.config), "holds", "check", "--json", "--", order_id])
        printed = json.loads(capsys.readouterr().out)
        assert status == 200
        assert {**told, "generated_at": ""} == {**printed, "generated_at": ""}
        assert (told["order_id"], told["may_charge"]) == (order_id, code == 0)
    assert [reached.ask(f"/holds/{quote(each, safe='')}")[1]["may_charge"] for each in AWKWARD[:3]] == [False] * 3


def test_health_tells_how_long_webhooks_wait(reached: Reached) -> None:
    """The oldest webhook that waits is told with its age; once a run has applied it, none waits."""
    house = reached.house
    house.add(order("a"))
    house.run()
    assert reached.ask("/health")[1]["oldest_waiting_seconds"] is None
    reached.post(reached.signed(about(house, "a"), "n-1"))
    house.clock.advance(timedelta(minutes=7))
    reached.post(reached.signed(about(house, "a", "order.expired"), "n-2"))
    status, told = reached.ask("/health")

    assert (status, told["status"], told["ledger"]) == (200, "ok", "writable")
    assert (told["webhooks_waiting"], told["oldest_waiting_seconds"]) == (2, 420)
    house.run("poll")
    assert reached.ask("/health")[1]["webhooks_waiting"] == 0


def test_the_log_tells_nothing_of_what_was_sent(reached: Reached) -> None:
    """Each request is one line with route, status, result and time, without ids, headers, bodies or keys."""
    genuine = reached.signed(payload(), "a-nonce-to-hide")
    reached.post(genuine)
    reached.post(genuine)
    reached.post(genuine.with_header("x-fc-nonce", "another"))
    reached.call("GET", "/holds/order-to-hide?secret=1")
    reached.ask("/holds/order-to-hide")
    reached.ask("/health")
    said = reached.log.getvalue()
    rows = [json.loads(line) for line in said.splitlines()]

    assert [(row["route"], row["status"], row["result"]) for row in rows] == [
        (PATH, 200, "stored"),
        (PATH, 200, "duplicate"),
        (PATH, 401, "bad_signature"),
        ("/holds/", 400, "no_order_id"),
        ("/holds/", 200, "may_charge"),
        ("/health", 200, "writable"),
    ]
    assert all(set(row) == {"at", "route", "status", "result", "ms"} for row in rows)
    for hidden in ("hide", "000471", "secret", reached.key, "Signature", "127.0.0.1"):
        assert hidden not in said


def _head(delivery: Delivery, *lines: str) -> bytes:
    named = [f"{name}: {value}" for name, value in delivery.headers.items()]
    head = [f"POST {PATH} HTTP/1.1", "Host: a", "Connection: close", *named, *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")


def _answered(reached: Reached, said: bytes, *, endless: bool = False) -> int:
    """The status of the answer to these bytes; `endless` goes on with chunks until somebody has enough."""
    with socket.create_connection(("127.0.0.1", reached.port), timeout=20) as line:
        line.sendall(said)
        if endless:
            with suppress(OSError):
                for _ in range(9):
                    line.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        return int(line.recv(1000).split(b" ")[1])


def _is_closed(line: socket.socket) -> bool:
    try:
        return line.recv(1000) == b""
    except ConnectionResetError:
        return True


def test_a_hold_is_told_of_the_order_that_was_asked_about(reached: Reached) -> None:
    """An id that was not quoted, or a path that was quoted whole, is refused: another order must not answer for it (I1)."""
    house = reached.house
    house.add(order("000471", payment_token=ONHOLD), order("a?b", payment_token=ONHOLD))
    house.run()
    for path in ("/holds%2F000471", "/%68olds/000471", "/holds/a?b"):
        assert reached.call("GET", path)[0] == 400, path
    for path in ("/holds/000471", "/holds/a%3Fb"):
        assert reached.ask(path)[1]["may_charge"] is False, path
