"""`mitbatch tokenize` against the pretend provider over TLS: which orders get a token, and which are left alone."""

import json
from typing import Any

import pytest
from pytest_mock import MockerFixture

from schemas.errors import EXIT_MEANINGS, ApiLoginRefused, ConfigurationError, ExitCode, SecretMissing
from tests.cards.desk import CANARY, CHALLENGE, DECLINED, SUCCESS, line, tokenize
from tests.night.conftest import MakeHouse
from tests.night.house import ONHOLD, House, order

Captured = pytest.CaptureFixture[str]


def bare(order_id: str = "000471", **changed: object) -> dict[str, object]:
    """A declined charge without a token."""
    return order(order_id, payment_token=None, card_last4=None, **changed)


def objects(capsys: Captured) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(each) for each in capsys.readouterr().out.splitlines()]


def outcomes(capsys: Captured) -> list[tuple[int, str, str, str]]:
    """Line, order, outcome and reason of each line."""
    return [(o["line"], o["order_id"], o["outcome"], o["reason"]) for o in objects(capsys) if o["type"] == "line"]


def asked(house: House) -> int:
    """How many cards reached the provider."""
    return sum(row["event"] == "tokenized" for row in house.sandbox.journal())


def test_a_token_and_the_last_four_are_written_and_nothing_else(house: House, capsys: Captured) -> None:
    """The row gets the provider's token and the last four digits; no other column of it changes."""
    house.add(bare(), bare("b"))
    before, other = house.row(), house.row("b")

    assert tokenize(house, [line(verification_value="123", email="ada@acme.example")]) == ExitCode.CLEAN
    row = house.row()
    assert row["payment_token"].endswith("c184")
    assert row == before | {"payment_token": row["payment_token"], "card_last4": "3184"}
    assert house.row("b") == other
    first, last = objects(capsys)
    assert (first["schema"], first["line"], first["order_id"], first["outcome"]) == (
        "mitbatch.tokenize_line/1",
        1,
        "000471",
        "written",
    )
    assert (last["type"], last["lines"], last["written"], last["exit_code"]) == ("result", 1, 1, 0)


def test_a_tokenized_order_is_sent_and_recovered(nightly_house: House) -> None:
    """What has no token is not sent; with the token of the success card the next night hands it over, and it completes."""
    nightly_house.add(bare())
    nightly_house.run()
    assert nightly_house.reasons() == {"000471": ("skipped", "missing_token")}
    assert tokenize(nightly_house, [line()]) == ExitCode.CLEAN
    assert nightly_house.run().code == 0
    nightly_house.pass_time(days=20)
    nightly_house.run("poll")
    assert nightly_house.state() == "completed"


def test_one_bad_line_stops_no_other(house: House, capsys: Captured) -> None:
    """Bad lines, of every kind, are named by number and order id; the good ones between them are written; exit 10."""
    house.add(*(bare(each) for each in "abcd"))
    lines = [
        line("a"),
        b"4000002760003184\n",
        line("b", number=CANARY),
        b"\n",
        line("nobody"),
        line("c", number="4000002760003185"),
        line(CANARY),
        line("d", DECLINED),
    ]

    assert tokenize(house, lines) == ExitCode.NEEDS_PERSON
    assert outcomes(capsys) == [
        (1, "a", "written", ""),
        (2, "", "refused", "malformed"),
        (3, "b", "refused", "no_test_card"),
        (5, "nobody", "refused", "unknown_order"),
        (6, "c", "refused", "malformed"),
        (7, "", "refused", "malformed"),
        (8, "d", "written", ""),
    ]
    assert [house.row(each)["card_last4"] for each in "abcd"] == ["3184", None, None, "2220"]
    assert asked(house) == 2


def test_people_read_which_lines_were_left(house: House, capsys: Captured) -> None:
    """For people there is a line for each that was left, one with all counts, and the exit code."""
    house.add(bare())

    assert tokenize(house, [line(), line("nobody")], json=False) == ExitCode.NEEDS_PERSON
    assert capsys.readouterr().out.splitlines()[1:] == [
        "line 2 (order 'nobody'): refused, the order system has no such order",
        "2 lines, written 1 · kept 0 · refused 1 · unanswered 0",
        f"EXIT 10 {EXIT_MEANINGS[ExitCode.NEEDS_PERSON]}",
    ]


def test_no_other_card_goes_to_the_sandbox(house: House, capsys: Captured) -> None:
    """A card that the provider has not published as a test card never leaves for the sandbox, and is not shown."""
    house.add(bare())

    assert tokenize(house, [line(number=CANARY)], json=False) == ExitCode.NEEDS_PERSON
    told = capsys.readouterr()
    assert "none of the provider's test cards" in told.out
    assert (asked(house), house.row()["payment_token"], CANARY in told.out + told.err) == (0, None, False)


def test_production_takes_any_card(house: House, mocker: MockerFixture) -> None:
    """Only the sandbox is limited to test cards: in production any card with a right check digit is asked for."""
    from jobs.settings_file import load_settings

    house.add(bare())
    settings = load_settings(house.config).model_copy(update={"environment": "production"})
    mocker.patch("jobs.tokenize.load_settings", return_value=settings)

    assert tokenize(house, [line(number=CANARY)]) == ExitCode.CLEAN
    assert (asked(house), house.row()["card_last4"]) == (1, "4444")


def test_the_same_lines_again_change_nothing(house: House, capsys: Captured) -> None:
    """An order that has a token for the same last four digits is kept, the provider is not asked, and the exit is 0."""
    house.add(bare())
    tokenize(house, [line()])
    row = house.row()
    capsys.readouterr()

    assert tokenize(house, [line()]) == ExitCode.CLEAN
    assert outcomes(capsys) == [(1, "000471", "kept", "")]
    assert (house.row(), asked(house)) == (row, 1)


def test_a_token_of_another_card_is_overwritten_only_when_asked(house: House, capsys: Captured) -> None:
    """Another card for the same order is refused without --replace, and takes the place of the first with it."""
    house.add(bare())
    tokenize(house, [line()])
    first = house.row()

    assert tokenize(house, [line(number=CHALLENGE)]) == ExitCode.NEEDS_PERSON
    assert house.row() == first
    assert tokenize(house, [line(number=CHALLENGE)], replaces=True) == ExitCode.CLEAN
    assert house.row()["card_last4"] == "1111"
    assert [each[2:] for each in outcomes(capsys)] == [("written", ""), ("refused", "has_token"), ("written", "")]


def test_an_order_at_the_provider_is_left_alone(nightly_house: House, capsys: Captured) -> None:
    """A held order keeps its token even with --replace: the provider works with it."""
    nightly_house.add(order(payment_token=ONHOLD))
    nightly_house.run()
    row = nightly_house.row()
    assert row["status"] == "pending"

    assert tokenize(nightly_house, [line()], replaces=True) == ExitCode.NEEDS_PERSON
    assert (nightly_house.row(), outcomes(capsys)[0][3], asked(nightly_house)) == (row, "held", 0)


def test_an_order_that_is_open_in_the_ledger_is_left_alone(nightly_house: House, capsys: Captured) -> None:
    """The ledger's word counts too: a row that somebody freed by hand while the order is open gets no other token."""
    nightly_house.add(order(payment_token=ONHOLD))
    nightly_house.run()
    nightly_house.change("000471", status="declined", hold_reference=None)

    assert tokenize(nightly_house, [line()], replaces=True) == ExitCode.NEEDS_PERSON
    assert (nightly_house.row()["payment_token"], outcomes(capsys)[0][3]) == (ONHOLD, "at_provider")


@pytest.mark.parametrize("status", ["pending", "completed", "review", "partially_refunded", "refunded", "chargeback"])
def test_our_own_statuses_are_left_alone(house: House, capsys: Captured, status: str) -> None:
    """A row whose status only we write gets no token, even where its hold is gone."""
    house.add(bare(status=status))

    assert tokenize(house, [line()]) == ExitCode.NEEDS_PERSON
    assert (house.row()["payment_token"], outcomes(capsys)[0][3]) == (None, "held")


@pytest.mark.parametrize("status", ["declined", "paid", "not_recovered", "open", ""])
def test_the_merchants_statuses_are_not(house: House, status: str) -> None:
    """A row with any status of the merchant's, or a released one, takes a token."""
    house.add(bare(status=status))

    assert tokenize(house, [line()]) == ExitCode.CLEAN
    assert house.row()["card_last4"] == "3184"


@pytest.mark.parametrize("changed", [{"hold_reference": "somebody"}, {"payment_token": ONHOLD}, {"status": "pending"}])
def test_a_row_that_changes_meanwhile_is_not_written(
    house: House, capsys: Captured, mocker: MockerFixture, changed: dict[str, object]
) -> None:
    """A hold, a token or a status of ours that comes between the look and the write wins; the line is told."""
    from batch.api import ProviderApi

    house.add(bare())
    real = ProviderApi.post

    def slow(self: ProviderApi, path: str, content: bytes, *, query: dict[str, str]) -> tuple[int, bytes]:
        found = real(self, path, content, query=query)
        house.change("000471", **changed)
        return found

    mocker.patch.object(ProviderApi, "post", slow)

    assert tokenize(house, [line()]) == ExitCode.NEEDS_PERSON
    assert (house.row()["card_last4"], outcomes(capsys)[0][3]) == (None, "changed")


def test_a_row_that_the_database_refuses_stops_no_other(house: House, capsys: Captured) -> None:
    """A trigger of the merchant's refuses one row: that line is told in the kind of error alone, the next is written."""
    house.add(bare("a"), bare("b"))
    house.sql(
        "CREATE TRIGGER t BEFORE UPDATE ON orders WHEN NEW.order_id = 'a' BEGIN SELECT RAISE(ABORT, '4000002760003184'); END"
    )

    assert tokenize(house, [line("a"), line("b")]) == ExitCode.NEEDS_PERSON
    told = objects(capsys)
    assert [o["reason"] for o in told[:2]] == ["row_refused", ""]
    assert SUCCESS not in str(told)
    assert house.row("b")["card_last4"] == "3184"


@pytest.mark.parametrize(
    "fault", ["server_error_before", "server_error_after", "reset_connection", "html_answer", "empty_answer", "unauthorized_once"]
)
def test_a_lost_answer_is_asked_for_again(house: House, fault: str) -> None:
    """No money moves, so a failed or lost answer is asked for again, and the token is written."""
    house.add(bare())
    house.sandbox.faults.switch_on(fault, where="tokenize")

    assert tokenize(house, [line()]) == ExitCode.CLEAN
    assert house.sandbox.faults.fired(fault) == 1
    assert house.row()["card_last4"] == "3184"


def test_asking_again_has_an_end(house: House, capsys: Captured) -> None:
    """After three calls a line is left without a token, the next is tried, and the exit says that a person is needed."""
    house.add(bare("a"), bare("b"))
    house.sandbox.faults.switch_on("server_error_before", where="tokenize", times=3)
    before = house.clock.now()

    assert tokenize(house, [line("a"), line("b")]) == ExitCode.NEEDS_PERSON
    assert outcomes(capsys) == [(1, "a", "unanswered", "no_answer"), (2, "b", "written", "")]
    assert (house.clock.now() - before).total_seconds() == 6


def test_a_provider_that_is_not_there_ends_the_run(house: House) -> None:
    """Three lines on end without an answer end the run with 20 and the line; the same lines work when it is back."""
    from schemas.errors import ApiUnreachable

    house.add(*(bare(each) for each in "abcde"))
    lines = [line(each) for each in "abcde"]
    house.sandbox.faults.switch_on("server_error_before", where="tokenize", times=99)
    with pytest.raises(ApiUnreachable, match="line 3; 0 tokens were written") as stopped:
        tokenize(house, lines)
    assert stopped.value.exit_code == ExitCode.NOTHING_SENT
    assert house.sandbox.faults.fired("server_error_before") == 9
    house.sandbox.faults.clear()
    assert tokenize(house, lines) == ExitCode.CLEAN


def test_a_wrong_tokenization_key_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the provider refuses ends the run at the first line, without repeating it or the card."""
    (house.folder / "wrong").write_text("wrong-key")
    (house.folder / "wrong").chmod(0o600)
    monkeypatch.setenv("MITBATCH_PROVIDER__TOKENIZATION_KEY_FILE", str(house.folder / "wrong"))
    house.add(bare())

    with pytest.raises(ApiLoginRefused, match=r"tokenization key.*stopped at line 1") as refused:
        tokenize(house, [line()])
    assert [word for word in ("wrong-key", SUCCESS) if word in str(refused.value)] == []
    assert refused.value.__cause__ is None


def test_the_key_may_stand_in_the_environment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tokenization key comes from its file, else the environment; without either the command refuses by name."""
    before, _, rest = house.config.read_text().partition("tokenization_key_file")
    house.config.write_text(before + rest.partition("\n")[2])
    house.add(bare())

    with pytest.raises(SecretMissing, match="MITBATCH_PROVIDER__TOKENIZATION_KEY"):
        tokenize(house, [line()])
    monkeypatch.setenv("MITBATCH_PROVIDER__TOKENIZATION_KEY", house.sandbox.tokenization_key)
    assert tokenize(house, [line()]) == ExitCode.CLEAN


def test_it_needs_a_login_that_may_write_tokens(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without orders.admin_url nothing is asked: the pipeline's own login may not write a token."""
    monkeypatch.setenv("MITBATCH_ORDERS__ADMIN_URL", "")
    house.add(bare())

    with pytest.raises(ConfigurationError, match=r"orders\.admin_url is not set"):
        tokenize(house, [line()])
    assert asked(house) == 0


def test_a_dry_run_says_the_same_and_does_nothing(house: House, capsys: Captured) -> None:
    """With --dry-run every line is judged, nobody is asked and nothing is written, not even a ledger."""
    house.add(bare("a"), bare("b"))

    assert tokenize(house, [line("a"), line("b", number=CANARY)], dry_run=True) == ExitCode.NEEDS_PERSON
    assert outcomes(capsys) == [(1, "a", "written", ""), (2, "b", "refused", "no_test_card")]
    assert (asked(house), house.row("a")["payment_token"], house.ledger_path.exists()) == (0, None, False)


def test_columns_may_have_other_names(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the merchant calls the columns otherwise, the token is written to those."""
    house = make_house(columns={"payment_token": "vault_ref", "card_last4": "LastFour", "order_id": "Id"}, https=True)
    monkeypatch.setenv("MITBATCH_PROVIDER__API_URL", house.sandbox.https_url)
    house.add(bare())

    assert tokenize(house, [line()]) == ExitCode.CLEAN
    assert house.row()["card_last4"] == "3184"


def test_an_empty_pipe_is_clean(house: House, capsys: Captured) -> None:
    """A pipe on which nothing comes does nothing."""
    assert tokenize(house, []) == ExitCode.CLEAN
    assert objects(capsys)[-1]["lines"] == 0
