"""Bugs in how orders are handed over by calls: called twice, judged by the wrong answers, ended without a read (I2, I12, I14)."""

from tests.world.planted.bug import Fails, Happens, Planted
from tests.world.schedule import Deed, Kind, Schedule

_ANSWERS, _EVALUATES = "batch/call_answers.py", "batch/api_evaluates.py"
_REPEATS = "tests/night/test_repeat_call.py"
_BY_CALLS = Deed("settings", 0, 0, 'channels.evaluate="api"')


def _called(kind: Kind, name: str = "", at: int = 0, *, label: str = "") -> Happens:
    """A schedule of a night by calls in which one thing goes wrong."""
    return Happens(Schedule(1, 4, (_BY_CALLS, Deed(kind, 0, at, name, label))).as_json())


CALLS = (
    Planted(
        "resend-after-silence",
        "a call without an answer is taken for one that was never made, and is made again",
        "batch/evaluate_answers.py",
        "        return Reply(Verdict.DOUBTFUL, called.problem)\n",
        "        return Reply(Verdict.UNSEEN, called.problem)\n",
        "I2",
        _called("fault", "reset_connection"),
    ),
    Planted(
        "intended-call-is-taken-for-unmade",
        "orders that a dead run had begun to call are called again",
        _EVALUATES,
        '[Move(each, State.IN_DOUBT, "send", reason, shows=False) for each in begun]',
        '[Move(each, State.HELD, "send", reason, shows=False) for each in begun]',
        "I2",
        _called("crash", label="after HTTP evaluate"),
    ),
    Planted(
        "fresh-key-per-call",
        "each call of an order has an idempotency key of its own",
        _EVALUATES,
        "                return batch, [Call(each.order_id, body, before) for each, body in leaving]\n",
        "                return batch, [\n"
        "                    Call(each.order_id, body.replace(each.idempotency_key[:8].encode(), b'%08x' % each.event_seq),"
        " before)\n"
        "                    for each, body in leaving\n"
        "                ]\n",
        "I12",
        _called("fault", "too_many_requests", at=1),
    ),
    Planted(
        "failure-is-taken-for-a-refusal",
        "an order whose call the provider's server failed at is released as refused",
        _ANSWERS,
        '    return Reply(Verdict.DOUBTFUL, f"the provider answered with HTTP {http_status}")\n',
        '    return Reply(Verdict.REFUSED, f"the provider answered with HTTP {http_status}")\n',
        "I14",
        _called("fault", "server_error_after"),
    ),
    Planted(
        "refusal-is-taken-for-doubt",
        "an order that the provider refused stays held for ever",
        _ANSWERS,
        "            return Reply(Verdict.REFUSED, words)\n",
        "            return Reply(Verdict.DOUBTFUL, words)\n",
        "I14",
        _called("row", "token refused"),
    ),
    Planted(
        "answer-ends-an-order",
        "the answer to an evaluate completes its order, without a read",
        "batch/evaluate_answers.py",
        "    move_orders(writing, moves)\n",
        "    done = [each for each in move_orders(writing, moves) if each.state is State.PENDING]\n"
        '    move_orders(writing, [Move(each, State.COMPLETED, "evaluate", "it was accepted") for each in done])\n',
        "I3",
        Happens(Schedule(1, 4, (_BY_CALLS,)).as_json()),
    ),
    Planted(
        "conflict-is-taken-for-unseen",
        "a call that is answered with 409 is made again, although the first may be running",
        _ANSWERS,
        "_NOT_DONE = (HTTPStatus.UNAUTHORIZED,",
        "_NOT_DONE = (HTTPStatus.CONFLICT, HTTPStatus.UNAUTHORIZED,",
        "I2",
        _called("fault", "conflict_after"),
    ),
    Planted(
        "calls-without-a-mark",
        "nothing outside the ledger tells that orders were called",
        "batch/api_delivery.py",
        "            self._equipment.departures.mark_calls(batch.batch_id, _event_of(batch), batch.file_name, after=after)\n",
        "            assert after\n",
        "I2",
        Fails("tests/night/test_channels_change.py::test_a_ledger_from_before_the_calls_is_refused"),
    ),
    Planted(
        "decline-ends-a-sync-order",
        "in sync mode a decline releases the order while the provider works on it",
        "batch/conclusions.py",
        "    if facts.is_worked_on and ",
        "    if not facts.order_id and ",
        "I1",
        Fails("tests/night/test_sync_mode.py::test_a_decline_is_final_when_the_period_is_over"),
    ),
    Planted(
        "repeated-after-its-end",
        "in sync mode an order is evaluated again although a read has told its end",
        "batch/sync_repeats.py",
        "is_worked_on = meaning in (Meaning.PENDING, Meaning.ONHOLD)",
        "is_worked_on = meaning is not Meaning.COMPLETED",
        "I2",
        Fails("tests/night/test_sync_mode.py::test_nothing_is_evaluated_again_once_a_read_ended_it"),
    ),
    Planted(
        "mode-changes-under-open-orders",
        "a changed mode is taken although orders of the other are open",
        "batch/modes.py",
        "if mode != wanted}",
        "if mode == ''}",
        "I1",
        Fails("tests/night/test_channels_change.py::test_a_changed_mode_is_refused_until_all_is_settled"),
    ),
    Planted(
        "repeat-without-a-look",
        "a person's repeat of a call goes out although the provider shows its order",
        "batch/call_decisions.py",
        "    said = Said(answer.read, answer.problem, is_absent=answer.is_absent and not answer.is_double)\n",
        '    said = Said(None, "", is_absent=True)\n',
        "I2",
        Fails(f"{_REPEATS}::test_what_the_provider_shows_is_not_called_again"),
    ),
    Planted(
        "repeat-with-a-forgotten-key",
        "a person's repeat of a call goes out when the provider may have forgotten its key",
        "batch/call_rulings.py",
        "KEY_LASTS = timedelta(hours=23)\n",
        "KEY_LASTS = timedelta(days=23)\n",
        "I2",
        Fails(f"{_REPEATS}::test_the_key_is_as_old_as_the_first_call"),
    ),
    Planted(
        "refused-repeat-ends-the-order",
        "what the provider says to a repeat is believed of the first call too, and the order is released",
        "batch/repeating.py",
        "    if reply.verdict is Verdict.TAKEN:\n        return reply\n    return replace(",
        "    if reply.words:\n        return reply\n    return replace(",
        "I12",
        Fails(f"{_REPEATS}::test_a_repeat_that_proves_nothing_leaves_it_in_doubt[order_invalid]"),
    ),
)
