"""Bugs in comparing the books (I3, I5, I12, I19)."""

from tests.world.planted.bug import Fails, Planted

COMPARING = (
    Planted(
        "pending-is-counted-as-completed",
        "the comparison counts a pending order among the completed",
        "batch/comparison_books.py",
        "    compared.count(Book.LEDGER, *key, order.state, order.amount_minor)\n",
        '    compared.count(Book.LEDGER, *key, order.state.replace("pending", "completed"), order.amount_minor)\n',
        "I3",
        Fails("tests/night/test_reconcile.py::test_books_that_agree_leave_nothing_behind"),
    ),
    Planted(
        "completed-row-of-a-pending-order-passes",
        "a row that shows completed while the order is pending is taken for equal",
        "batch/reconcile.py",
        '    if _is_held(books) and row["status"] == books.shows:\n',
        '    if _is_held(books) and row["status"] in (books.shows, RowStatus.COMPLETED):\n',
        "I3",
        Fails("tests/night/test_reconcile.py::test_the_merchant_changed_one"),
    ),
    Planted(
        "drift-goes-unseen",
        "the merchant's own retry at a held order is no difference",
        "batch/reconcile.py",
        '    if not row["retry_state"] and not was_paid:\n',
        "    if not was_paid:\n",
        "I5",
        Fails("tests/night/test_reconcile.py::test_a_house_charge_on_a_held_order_is_seen_once"),
        hunted=True,
    ),
    Planted(
        "difference-is-dropped",
        "an order that differs in one thing alone gets no row",
        "batch/comparison_tells.py",
        "        if not each.found and not everything:\n",
        "        if not each.found[1:] and not everything:\n",
        "I5",
        Fails("tests/night/test_reconcile.py::test_the_provider_lost_one"),
        hunted=True,
    ),
    Planted(
        "strangers-are-passed-over",
        "what the provider has and the ledger does not know is not compared",
        "batch/comparison_strangers.py",
        "    while compared.is_list_had:\n",
        "    while False:\n",
        "I5",
        Fails("tests/night/test_reconcile.py::test_we_missed_one"),
        hunted=True,
    ),
    Planted(
        "recovered-in-spite-of-a-cancel-agrees",
        "of an order under review whose cancel was asked for, a recovery counts as known although nobody has heard of it",
        "batch/comparison_cancels.py",
        "    return books if is_review and _is_known(equipment, order, asked) else replace(books, facts=facts)\n",
        "    return books if is_review else replace(books, facts=facts)\n",
        "I5",
        Fails(
            "tests/night/test_reconcile_cancels.py::test_a_recovery_of_an_order_under_review_whose_cancel_was_asked_for_is_due_for_its_read"
        ),
    ),
    Planted(
        "comparison-ends-an-order",
        "what the list says of an order is believed without a read of its own",
        "batch/comparison_tells.py",
        "        make_due(writing, provider_order_id=order.provider_order_id, order_id=order.order_id, called_expired=False)\n",
        '        move_orders(writing, [Move(order, type(order.state)("completed"), "reconcile", "as listed")])\n',
        "I3",
        Fails("tests/night/test_reconcile.py::test_we_missed_an_end"),
    ),
    Planted(
        "half-a-list-is-taken-for-whole",
        "a list that broke off proves that what it does not show is missing",
        "batch/provider_list.py",
        "            return ProviderList(is_had=laid > 0, is_whole=False, orders=laid)\n",
        "            return ProviderList(is_had=True, is_whole=True, orders=laid)\n",
        "I12",
        Fails("tests/night/test_reconcile.py::test_without_the_provider_the_others_are_compared"),
    ),
    Planted(
        "comparison-rows-are-not-sealed",
        "nobody looks whether the rows of a comparison are as they were written",
        "batch/verifying.py",
        "            found.tampering += reader.changed_comparisons()\n",
        "",
        "I19",
        Fails("tests/night/test_reconcile_file.py::test_what_a_comparison_found_cannot_be_changed_unseen"),
    ),
)
"""Bugs in what is compared, told and kept."""
