"""Bugs in holds and in what the order rows show: too late, too early, over the merchant's own changes (I1, I5, I14)."""

from tests.world.planted.bug import Fails, Planted, quiet, when

HOLDING = (
    Planted(
        "released-while-processing",
        "an order is released although the provider says that it is still processing",
        "batch/conclusions.py",
        "        return _arrived(facts, said)\n    if meaning is Meaning.COMPLETED",
        "        return _not_recovered(facts, Meaning.NOT_RECOVERED, said)\n    if meaning is Meaning.COMPLETED",
        "I1",
        quiet(),
        hunted=True,
    ),
    Planted(
        "released-on-local-expiry",
        "an order is released when our own clock says that it has expired",
        "batch/poll.py",
        "        for submission in overdue:\n",
        "        for submission in overdue:\n"
        "            from batch.ledger.moves import Move, move_orders\n"
        "            from schemas.states import State\n"
        '            move_orders(writing, [Move(submission, State.EXPIRED, "poll", "its expiry has passed")])\n'
        "            continue\n",
        "I1",
        quiet(),
        hunted=True,
    ),
    Planted(
        "released-on-404",
        "an order that the provider does not know at the moment is released",
        "batch/applying.py",
        "        note_reads(writing, [(submission, next_read(writing, equipment, submission))])\n        return submission\n",
        "        if heard.content and not heard.problem:\n"
        '            move = Move(submission, State.DECLINED, heard.source, "unknown there", evidence_id)\n'
        "            (submission,) = move_orders(writing, [move])\n"
        "        note_reads(writing, [(submission, next_read(writing, equipment, submission))])\n"
        "        return submission\n",
        "I1",
        when("fault", "not_found", run=1),
        hunted=True,
    ),
    Planted(
        "review-is-released",
        "an order under review loses its hold",
        "batch/results.py",
        "(*NOT_RECOVERED, State.REJECTED), RowStatus.NOT_RECOVERED),\n}\n_GIVEN_UP = (*NOT_RECOVERED,",
        "(*NOT_RECOVERED, State.REJECTED, State.REVIEW), RowStatus.NOT_RECOVERED),\n}\n"
        "_GIVEN_UP = (State.REVIEW, *NOT_RECOVERED,",
        "I5",
        when("fault", "contradictory_rows"),
        hunted=True,
    ),
    Planted(
        "results-never-written",
        "results are never written to the order rows",
        "batch/results.py",
        "    refused = equipment.writer.lift_holds(withdrawn, now=now) | equipment.writer.write_results(results, now=now)",
        "    refused = {result.order_id: 'no' for result in results if False}\n    return dict.fromkeys("
        "[s.hold_reference for s in due], Outcome.WRITTEN)",
        "I5",
        quiet(),
        hunted=True,
    ),
    Planted(
        "hold-overwrites-another",
        "a hold is placed over the hold of somebody else",
        "batch/row_statements.py",
        '            column("hold_reference").is_(None),\n            column(RETRY_COLUMN).is_(None),\n',
        "            column(RETRY_COLUMN).is_(None),\n",
        "I1",
        Fails("tests/night/test_hold.py::test_a_row_that_is_taken_before_the_hold_is_withdrawn"),
    ),
    Planted(
        "hold-ignores-the-retry-state",
        "a hold is placed on a row that the merchant's own retry is charging",
        "batch/row_statements.py",
        '            column("hold_reference").is_(None),\n            column(RETRY_COLUMN).is_(None),\n',
        '            column("hold_reference").is_(None),\n',
        "I1",
        Fails("tests/night/test_hold.py::test_a_row_that_is_taken_before_the_hold_is_withdrawn"),
    ),
    Planted(
        "row-not-looked-at-before-sending",
        "whether the row still bears the hold is not looked at again before sending",
        "batch/intent.py",
        "obstacle_of(submission, rows.get(submission.order_id)) or second_thought(equipment, submission, switches)",
        "second_thought(equipment, submission, switches)",
        "I1",
        Fails("tests/night/test_switches.py::test_paid_after_a_failed_send"),
    ),
    Planted(
        "merchants-change-overwritten",
        "a result is written over what the merchant made of the row meanwhile",
        "batch/row_statements.py",
        '            or_(orders.has_status(*OURS, *AFTER_RECOVERY), column("status") == bindparam("w_kept")),\n',
        "",
        "I5",
        Fails("tests/night/test_hold.py::test_a_release_over_the_merchants_change_is_a_conflict"),
        hunted=True,
    ),
    Planted(
        "one-refused-row-stops-all",
        "one row that the order system refuses to change stops every other",
        "batch/writeback.py",
        "            if len(rows) == 1 and not concerns_all(error):",
        "            if not rows:",
        "I15",
        Fails("tests/night/test_hold.py::test_a_row_that_takes_no_hold_stops_no_other"),
    ),
    Planted(
        "freed-row-is-not-held-again",
        "a row that looks free while the provider works is left free",
        "batch/held_rows.py",
        "        equipment.writer.hold_again(row_result(equipment, submission), now=now)\n",
        "        row_result(equipment, submission)\n",
        "I1",
        Fails("tests/night/test_corrections.py::test_a_row_that_looks_free_while_the_provider_works_is_held_again"),
    ),
    Planted(
        "late-completion-stays-free",
        "an order that completed after its release stays free for in-house retry",
        "batch/after_release.py",
        "            equipment.writer.hold_again(result, now=now)\n",
        "            pass\n",
        "I1",
        Fails("tests/night/test_conclusions.py::test_a_completion_after_the_release_is_held_again"),
    ),
    Planted(
        "kept-hold-is-taken-for-a-charge",
        "an order that completed after its end counts as charged in-house although its hold was kept",
        "batch/after_release.py",
        "        elif is_held and stands:\n",
        "        elif is_held and not stands:\n",
        "I5",
        Fails("tests/night/test_refund_after_release.py::test_a_late_completion_under_a_kept_hold_is_no_double_charge"),
    ),
    Planted(
        "refund-leaves-a-row-free",
        "an order whose late completion is given back in the same run stays free for in-house retry",
        "batch/after_release.py",
        "        if not is_held and (stands or result.status is RowStatus.REVIEW):\n",
        "        if not is_held and result.status is RowStatus.REVIEW:\n",
        "I5",
        Fails("tests/night/test_refund_after_release.py::test_a_refund_that_learns_of_a_late_completion_shows_in_the_row"),
    ),
    Planted(
        "stray-hold-stays",
        "a hold that nobody owns blocks its order for ever",
        "batch/held_rows.py",
        "    if not due and not unknown:\n        return\n    refused = _lift(equipment, run, due)\n",
        "    return\n    refused = _lift(equipment, run, due)\n",
        "I13",
        Fails("tests/night/test_corrections.py::test_a_hold_that_nobody_owns_is_lifted"),
    ),
)
"""Bugs around the hold, and the rows that show it."""
