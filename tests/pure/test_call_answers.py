"""What each answer to a call proves: taken, refused, nothing done, or nothing that anybody can tell."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from batch.call_answers import MOST_PAUSE_SECONDS, Reply, Verdict, pause_asked, read_evaluate, read_transmit

KEY = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a001"
NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def answer(**changed: object) -> bytes:
    """A good answer to an evaluate, with these fields changed; None takes one away."""
    fields = {"orderSessionKey": KEY, "orderId": KEY, "success": True, "result": "Success", "status": "SUBMITTED"} | changed
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


@pytest.mark.parametrize(
    "word", ["SUBMITTED", "APPROVED", "DECLINED", "CHALLENGE", "CAPTUREREQUIRED", "PROCESSING", "approved", "QUANTUM"]
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_status_word_means_that_the_provider_has_it(word: str, status: int) -> None:
    """Whatever the word of a 2xx says, the order is there, and a read must tell how it stands."""
    reply = read_evaluate(status, answer(status=word))

    assert (reply.verdict, reply.provider_id, reply.word) == (Verdict.TAKEN, KEY, word)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        answer(success=False),
        answer(success=False, status="APPROVED"),
        answer(orderSessionKey=None),
        answer(status=None),
        answer(status=7),
        answer(orderSessionKey=""),
        answer(orderSessionKey="x" * 200),
        answer()[:-1],
        answer()[:-1] + b', "STATUS": "APPROVED"}',
        b"\xff" + answer(),
    ],
)
def test_a_good_status_with_a_body_that_says_nothing_is_in_doubt(content: bytes) -> None:
    """Without an id, a status, or sense, nobody can tell whether the order was taken."""
    assert read_evaluate(200, content).verdict is Verdict.DOUBTFUL


@pytest.mark.parametrize(
    "status", [100, 204, 300, 301, 302, 307, 308, 402, 404, 405, 408, 409, 413, 418, 422, 500, 502, 503, 504, 599]
)
def test_other_statuses_are_in_doubt_whatever_their_body_says(status: int) -> None:
    """Only a validation refuses, only 401, 403 and 429 prove that nothing was done; a 204 has no body to believe."""
    body = b"" if status == 204 else answer() if status >= 300 else b"x"

    assert read_evaluate(status, body).verdict is Verdict.DOUBTFUL
    assert read_transmit(status, body).verdict is Verdict.DOUBTFUL


@pytest.mark.parametrize("status", [401, 403, 429])
@pytest.mark.parametrize("content", [b"", b"<html>", answer()])
def test_what_is_refused_before_it_was_looked_at_did_nothing(status: int, content: bytes) -> None:
    """Refused credentials and too many calls leave nothing behind, whatever stands in the body."""
    assert read_evaluate(status, content).verdict is Verdict.UNSEEN
    assert read_transmit(status, content).verdict is Verdict.UNSEEN


def test_a_validation_refuses_in_either_shape_and_its_words_are_scrubbed() -> None:
    """The flat map and the nested one both name what is wrong; no address and no card number of theirs is shown."""
    flat = {"TraceId": ["00-1-01"], "Payer.Email": ["ada@example.com is bad"], "Card": ["4111 1111 1111 1111 is bad"]}
    nested = {"status": 400, "title": "Bad", "errors": {"OrderId": ["Merchant's orderId is required"]}}

    assert read_evaluate(400, json.dumps(flat).encode()).words == (
        "Card: (withheld: it holds a card number); Payer.Email: (address) is bad"
    )
    assert read_evaluate(400, json.dumps(nested).encode()).words == "OrderId: Merchant's orderId is required"
    assert read_evaluate(400, json.dumps(flat).encode()).verdict is Verdict.REFUSED


def test_a_refusal_says_no_more_than_people_read() -> None:
    """Five names, each with its first sentence; what is no sentence is none."""
    told = {f"Field{number}": [7, f"bad {number}", "more"] for number in range(1, 8)}
    assert read_evaluate(400, json.dumps(told).encode()).words == "; ".join(
        f"Field{number}: bad {number}" for number in range(1, 6)
    )


@pytest.mark.parametrize("read", [read_evaluate, read_transmit])
def test_a_conflict_says_that_its_key_is_known(read: Callable[[int, bytes], Reply]) -> None:
    """A person who looks at a doubt reads why: the key was used before, which another status does not mean."""
    assert read(409, b"").words.endswith("a call with its key is running, or was made before (HTTP 409)")
    assert read(408, b"").words == "the provider answered with HTTP 408"


@pytest.mark.parametrize(("letters", "verdict"), [(128, Verdict.TAKEN), (129, Verdict.DOUBTFUL)])
def test_a_status_is_a_word_and_no_text(letters: int, verdict: Verdict) -> None:
    """What is longer than any word is not believed."""
    assert read_evaluate(200, answer(status="x" * letters)).verdict is verdict


@pytest.mark.parametrize(
    "content", [b"", b"<html>Bad Request</html>", b"{}", b'{"TraceId": ["x"]}', b'{"message": "no"}', b"[1]"]
)
def test_a_400_that_names_nothing_is_in_doubt(content: bytes) -> None:
    """A page of some gateway is no validation, and releases nothing."""
    assert read_evaluate(400, content).verdict is Verdict.DOUBTFUL


def test_a_copy_is_taken_by_success_with_an_id_alone() -> None:
    """A transmit succeeded when its answer says success and names the copy; its number of a status says nothing."""
    good = {"result": "success", "status": 0, "success": True, "transmitId": "t-1"}

    assert read_transmit(200, json.dumps(good).encode()).verdict is Verdict.TAKEN
    for change in ({"result": "failed"}, {"transmitId": ""}, {"success": False}, {"result": None}):
        assert read_transmit(200, json.dumps(good | change).encode()).verdict is Verdict.DOUBTFUL


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 1),
        ("0", 1),
        ("7", 7),
        (" 7 ", 7),
        ("-120", 1),
        ("946080000", MOST_PAUSE_SECONDS),
        ("9" * 9, MOST_PAUSE_SECONDS),
        ("9" * 10, 1),
        ("9" * 400, 1),
        ("1e3", 1),
        ("soon", 1),
        ("Mon, 23 Nov 2026 06:30:40 GMT", 40),
        ("Mon, 23 Nov 2026 06:00:00 GMT", 1),
        ("Mon, 23 Nov 2099 06:00:00 GMT", MOST_PAUSE_SECONDS),
        ("Mon, 99 Nov 2026 06:00:00 GMT", 1),
        ("Mon, 23 Nov 2026 07:30:40 +0100", 40),
        ("Mon, 23 Nov 2026 06:30:40 -0000", 40),
        (f"Mon, 23 Nov 2026 06:30:40 +{'9' * 20}", 1),
        ("\u0667", 1),
    ],
)
def test_a_wait_is_as_asked_within_bounds(header: str, seconds: float) -> None:
    """Seconds and dates are understood; what is absurd, past or senseless stays within our bounds (H-04)."""
    assert pause_asked(header, NOW) == seconds
