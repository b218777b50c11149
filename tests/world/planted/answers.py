"""Bugs in what follows from an answer: completed too easily, released too easily, ended by a hint (I3, I7, I8, I14-I16, I23)."""

from tests.world.planted.bug import Fails, Planted, quiet, when

_CONCLUSIONS = "batch/conclusions.py"

ANSWERS = (
    Planted(
        "every-ending-completes",
        "every final answer counts as recovered",
        _CONCLUSIONS,
        "    return _not_recovered(facts, meaning, said)\n",
        '    return _onwards(facts, State.COMPLETED, "recovered")\n',
        "I3",
        quiet(),
        hunted=True,
    ),
    Planted(
        "acceptance-completes",
        "a row that was accepted counts as recovered",
        "batch/acknowledged_rows.py",
        "    word = rows[0].status\n    return Move(\n        order,\n        State.PENDING,\n",
        "    word = rows[0].status\n    (order,) = move_orders(\n"
        '        writing, [Move(order, State.PENDING, "acknowledgement", "accepted", evidence_id)]\n'
        "    )\n    return Move(\n        order,\n        State.COMPLETED,\n",
        "I3",
        quiet(),
        hunted=True,
    ),
    Planted(
        "another-amount-completes",
        "a completion is taken without comparing its amount",
        _CONCLUSIONS,
        "    amount_differs = read.amount_minor is not None and read.amount_minor != facts.amount_minor\n",
        "    amount_differs = False\n",
        "I3",
        Fails("tests/night/test_conclusions.py::test_a_completion_of_another_amount_is_reviewed"),
    ),
    Planted(
        "another-currency-completes",
        "a completion is taken without comparing its currency",
        _CONCLUSIONS,
        "    currency_differs = bool(read.currency) and read.currency != facts.currency\n",
        "    currency_differs = False\n",
        "I3",
        Fails("tests/table/test_conclusions_table.py::test_every_amount_and_identity_in_every_state"),
    ),
    Planted(
        "another-orders-answer-counts",
        "an answer about another order is taken for this one's",
        _CONCLUSIONS,
        "    if read.external_id and read.external_id != facts.order_id:\n",
        "    if read.external_id == 'nobody':\n",
        "I3",
        Fails("tests/table/test_conclusions_table.py::test_every_amount_and_identity_in_every_state"),
    ),
    Planted(
        "outcomes-file-ends-orders",
        "a row of an outcomes file ends an order without a read",
        "batch/outcome_news.py",
        '    strangers = follow_hints(writing, equipment, news, evidence_id, "file")\n',
        '    strangers = follow_hints(writing, equipment, news, evidence_id, "file")\n'
        "    ends = {Meaning.COMPLETED: State.COMPLETED, Meaning.NOT_RECOVERED: State.DECLINED}\n"
        "    for row in news:\n"
        "        to = ends.get(equipment.profile.meaning(row.status))\n"
        "        for each in attempts_of(writing.connection, writing.mid, row.order_id)[-1:]:\n"
        "            if to and each.state is State.PENDING:\n"
        '                move_orders(writing, [Move(each, to, "file", row.status, evidence_id)])\n',
        "I23",
        Fails("tests/night/test_outbound.py::test_an_outcomes_file_is_a_hint"),
    ),
    Planted(
        "unknown-status-declines",
        "a status that nobody knows is taken for a decline",
        _CONCLUSIONS,
        "    if meaning is None or meaning in (Meaning.NOT_FOUND, Meaning.CHALLENGE, Meaning.PROBLEM):\n",
        "    if meaning is None:\n        return _not_recovered(facts, Meaning.NOT_RECOVERED, said)\n"
        "    if meaning in (Meaning.NOT_FOUND, Meaning.CHALLENGE, Meaning.PROBLEM):\n",
        "I16",
        when("fault", "unknown_status", run=1),
        hunted=True,
    ),
    Planted(
        "unknown-status-without-an-item",
        "a status that nobody knows is passed over in silence",
        "batch/applying.py",
        "    if conclusion.item is not None:\n",
        "    if conclusion.item is not None and conclusion.item is not ItemKind.UNKNOWN_STATUS:\n",
        "I16",
        when("fault", "unknown_status", run=1),
        hunted=True,
    ),
    Planted(
        "unknown-verdict-accepts",
        "an acknowledgement's word that nobody knows counts as accepted",
        "batch/responses.py",
        ".get(word.strip().lower())\n",
        ".get(word.strip().lower(), True)\n",
        "I16",
        Fails("tests/table/test_answers_table.py::test_every_shape_of_a_files_verdict"),
    ),
    Planted(
        "absence-in-a-listing-rejects",
        "an order that the provider's listing does not show counts as never arrived",
        "batch/search.py",
        '        elif answer.is_absent:\n            note_reads(writing, [(submission, "")])\n',
        "        elif answer.is_absent:\n"
        '            move_orders(writing, [Move(submission, State.REJECTED, "poll", "it is not there", evidence_id)])\n',
        "I12",
        Fails("tests/night/test_outbound.py::test_an_order_that_the_listing_does_not_show_stays_held"),
    ),
    Planted(
        "evidence-is-not-cited",
        "moves that follow from a read do not name it",
        "batch/applying.py",
        "            conclusion.reason,\n            evidence_id,\n",
        '            conclusion.reason,\n            "",\n',
        "I7",
        quiet(),
        hunted=True,
    ),
    Planted(
        "evidence-is-kept-once-per-order",
        "a second answer about an order is not stored, because one is there",
        "batch/ledger/evidence.py",
        "    content_hash = hashlib.sha256(content).hexdigest()\n    said =",
        "    content_hash = hashlib.sha256(subject.encode()).hexdigest()\n    said =",
        "I7",
        quiet(5),
        hunted=True,
    ),
    Planted(
        "evidence-is-emptied",
        "what the provider said is stored without its content",
        "batch/ledger/evidence.py",
        '"received_at": writing.now, "content": content}',
        '"received_at": writing.now, "content": b""}',
        "I7",
        quiet(),
        hunted=True,
    ),
    Planted(
        "last-row-wins",
        "of contradictory rows about one order the last one counts",
        "batch/acknowledged_rows.py",
        "    if (ids and refused) or len(known) > 1:\n",
        "    ids = {row.provider_id for row in rows[-1:] if row.accepted}\n"
        "    refused = [row for row in rows[-1:] if not row.accepted]\n"
        "    if len(known) > 1:\n",
        "I8",
        Fails("tests/confluence/test_confluence.py::test_every_order_of_arrival_ends_alike", "rows-contradict"),
    ),
    Planted(
        "first-answer-wins",
        "a final answer that contradicts an earlier one is passed over",
        _CONCLUSIONS,
        'NEVER_AGAIN:\n        return _review(facts, "completed before"',
        'NEVER_AGAIN:\n        return _same(facts)\n        return _review(facts, "completed before"',
        "I8",
        Fails("tests/confluence/test_confluence.py::test_every_order_of_arrival_ends_alike", "copies-completed-cancelled"),
    ),
    Planted(
        "rejected-row-releases-its-neighbours",
        "one refused row counts for every order of its file",
        "batch/acknowledged_rows.py",
        "    move_orders(writing, moves)\n    for move in moves:\n        _items(",
        "    if any(move.to is State.REJECTED for move in moves):\n"
        "        waiting = [orders[order_id] for order_id in answers if orders[order_id].state in _WAITING]\n"
        '        moves = [_refusal(each, "its file had a bad row", "FAILED", evidence_id) for each in waiting]\n'
        "    move_orders(writing, moves)\n    for move in moves:\n        _items(",
        "I14",
        quiet(7),
        hunted=True,
    ),
    Planted(
        "unnamed-orders-are-released",
        "orders that an acknowledgement leaves out count as refused",
        "batch/acknowledged_rows.py",
        "    superseded = superseded_in(writing.connection, writing.mid, batch.batch_id)\n    for order_id in sorted(answers",
        "    left_out = [each for each in orders.values() if each.order_id not in answers and each.state in _WAITING]\n"
        '    move_orders(writing, [_refusal(each, "not in the answer", "FAILED", evidence_id) for each in left_out])\n'
        "    superseded = superseded_in(writing.connection, writing.mid, batch.batch_id)\n    for order_id in sorted(answers",
        "I14",
        when("fault", "missing_rows"),
        hunted=True,
    ),
    Planted(
        "refused-row-stays-held",
        "a row that the provider refused is never released",
        "batch/acknowledged_rows.py",
        "    if refused:\n        if order.state in _WAITING:\n",
        "    if refused:\n        if order.state in _WAITING:\n            return None\n        if order.state in _WAITING:\n",
        "I14",
        Fails("tests/night/test_outbound.py::test_exactly_the_refused_row_is_released"),
        hunted=True,
    ),
    Planted(
        "one-odd-row-spoils-the-file",
        "one row that cannot be read makes the whole acknowledgement unreadable",
        "batch/responses.py",
        "        with suppress(AnswerUnreadable):  # one odd row is set aside; its neighbours are as good as before\n",
        "        with suppress():\n",
        "I15",
        Fails("tests/table/test_answers_table.py::test_an_odd_row_is_counted_and_its_neighbours_are_read"),
    ),
    Planted(
        "one-odd-file-stops-the-folder",
        "a file that cannot be read ends the reading of the outbound folder",
        "batch/acknowledgements.py",
        "    except AnswerUnreadable as error:\n        if is_settled",
        "    except ZeroDivisionError as error:\n        if is_settled",
        "I15",
        Fails("tests/night/test_outbound.py::test_a_spoilt_acknowledgement_changes_nothing"),
        hunted=True,
    ),
    Planted(
        "one-failed-read-stops-the-poll",
        "a poll gives up when one of its reads fails",
        "batch/poll.py",
        "        if all(answer.is_unreachable for answer in answers):\n",
        "        if any(answer.is_unreachable for answer in answers):\n",
        "I15",
        Fails("tests/night/test_http_trouble.py::test_one_bad_answer_stops_no_other"),
    ),
    Planted(
        "answer-for-another-merchant",
        "an acknowledgement for another merchant account is applied",
        "batch/acknowledgements.py",
        "    if acknowledgement.mid.lower() != equipment.ledger.mid:\n",
        "    if not acknowledgement.mid:\n",
        "I21",
        when("fault", "other_mid"),
        hunted=True,
    ),
)
"""Bugs between what the provider says and what follows from it."""
