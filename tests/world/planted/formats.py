"""Bugs in answers that come in other ways: in CSV, by the listing, and from files that are believed (I3, I6, I12, I13, I15)."""

from tests.world.planted.bug import Fails, Planted

_LISTING = "tests/cost/test_cost.py::test_a_listing_proves_nothing"
_ASKED = "        ask_by_listing(equipment, run)\n"

FORMATS = (
    Planted(
        "absence-in-the-listing-postpones",
        "an order that the listing does not show is not asked about",
        "batch/poll.py",
        _ASKED,
        "        if ask_by_listing(equipment, run):\n            return 0\n",
        "I13",
        Fails(_LISTING),
    ),
    Planted(
        "absence-in-the-listing-releases",
        "an order that the listing does not show counts as given up",
        "batch/poll.py",
        _ASKED,
        "        pages = ask_by_listing(equipment, run)\n"
        "        from batch.ledger.moves import Move, move_orders\n"
        "        from schemas.states import State\n\n"
        "        while pages:\n"
        "            now = utc_text(equipment.clock.now())\n"
        "            with equipment.ledger.writing(run) as writing:\n"
        '                due = due_for_read(writing.connection, mid, now=now, everything=False, after="", limit=AT_A_TIME)\n'
        '                gone = {"changes": {"next_read_at": ""}}\n'
        '                move_orders(writing, [Move(each, State.DECLINED, "poll", "gone", **gone) for each in due])\n'
        "            pages = len(due)\n",
        "I12",
        Fails(_LISTING),
    ),
    Planted(
        "listing-is-proof",
        "what a listing shows ends an order without a read",
        "batch/listing.py",
        "    return bool(ours)\n",
        "        from batch.applying import Heard, hear\n\n"
        "        for each in ours:\n"
        '            hear(writing, equipment, each, Heard("poll", b"", once[each.provider_order_id]))\n'
        "    return bool(ours)\n",
        "I3",
        Fails(_LISTING),
    ),
    Planted(
        "listing-answers-a-hint",
        "an order that a hint has made due is left alone because a listing shows it as it was",
        "batch/listing.py",
        "        and not is_hinted(submission)\n",
        "",
        "I13",
        Fails("tests/cost/test_cost.py::test_a_hint_is_answered_by_a_read"),
    ),
    Planted(
        "listing-outlives-the-expiry",
        "an order whose expiry has come is left alone as long as a listing shows it as it was",
        "batch/listing.py",
        '            if "" < submission.next_read_at <= writing.now < submission.expires_at\n',
        '            if "" < submission.next_read_at <= writing.now\n',
        "I13",
        Fails("tests/cost/test_cost.py::test_at_its_expiry_only_reads_count"),
    ),
    Planted(
        "csv-row-shifts",
        "a row of CSV with a cell too many is read with its cells one column further on",
        "batch/strict_csv.py",
        "    if len(line) != len(columns):\n        return None\n"
        "    return {name: cell for name, cell in zip(columns, line, strict=True) if cell}\n",
        "    return {name: cell for name, cell in zip(columns, line, strict=False) if cell}\n",
        "I15",
        Fails("tests/pure/test_strict_csv.py::test_a_row_that_does_not_fit_says_nothing"),
    ),
    Planted(
        "half-a-csv-is-whole",
        "the beginning of a CSV is taken for all of it",
        "batch/acknowledgements.py",
        "    name, is_whole = entry.name, is_settled or is_json(content)\n",
        "    name, is_whole = entry.name, True\n",
        "I15",
        Fails("tests/night/test_csv_answers.py::test_half_a_file_is_not_a_whole_one"),
    ),
    Planted(
        "last-believed-row-wins",
        "of rows that disagree about an order the last one is believed",
        "batch/trusted_files.py",
        "    for evidence_id, read in _rows_about(writing, equipment, asked, parsed):\n",
        "    for evidence_id, read in list(_rows_about(writing, equipment, asked, parsed))[-1:]:\n",
        "I6",
        Fails("tests/night/test_trusted_files.py::test_rows_that_disagree_are_for_a_person"),
    ),
    Planted(
        "believed-row-outranks-a-read",
        "an order that a file has ended stays ended although a read shows it as still being worked on",
        "batch/applying.py",
        '    if source_of_state(writing.connection, writing.mid, submission.order_id) != "file":\n',
        '    if source_of_state(writing.connection, writing.mid, submission.order_id) != "nobody":\n',
        "I3",
        Fails("tests/night/test_trusted_files.py::test_where_orders_may_be_read_the_read_is_the_proof"),
    ),
)
"""Bugs in the other ways of hearing."""
