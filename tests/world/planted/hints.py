"""Bugs in what is believed, kept and made of webhooks (I7, I8, I18, I21, I22, I23)."""

from tests.world.planted.bug import Fails, Happens, Planted
from tests.world.schedule import Deed, Schedule

_NEWS, _DOOR, _INBOX = "batch/webhook_news.py", "batch/webhooks.py", "batch/ledger/webhook_inbox.py"
_SERVE = "tests/webhooks/test_serve.py"


def _told(fault: str = "", *more: Deed, row: str = "expires") -> Happens:
    """The provider tells everything, once with this fault; orders that end late leave time for what is told wrongly."""
    deeds = (Deed("row", 0, 0, row), Deed("row", 0, 1, row), Deed("webhooks", 0, 0, fault), *more)
    return Happens(Schedule(1, 2, deeds).as_json())


_FALSE_WORD = Deed("told", 1, 0, "order.completed", "before SFTP opendir")

HINTS = (
    Planted(
        "webhook-completes",
        "a webhook that says completed completes its order, without a read",
        _NEWS,
        '    return "applied", evidence_id\n',
        '    if says.event == "order.completed":\n'
        "        from batch.ledger.moves import Move, move_orders\n"
        "        from batch.ledger.reading import attempts_of\n"
        "        from schemas.states import State\n\n"
        "        latest = attempts_of(writing.connection, writing.mid, news.order_id)[-1]\n"
        "        if latest.state is State.PENDING:\n"
        '            move_orders(writing, [Move(latest, State.COMPLETED, "webhook", "told", evidence_id)])\n'
        '    return "applied", evidence_id\n',
        "I23",
        _told("", _FALSE_WORD),
        hunted=True,
    ),
    Planted(
        "webhook-releases",
        "a webhook that says cancelled releases its order, and calls it the poll's word",
        _NEWS,
        '    return "applied", evidence_id\n',
        '    if says.event == "order.cancelled":\n'
        "        from batch.ledger.moves import Move, move_orders\n"
        "        from batch.ledger.reading import attempts_of\n"
        "        from schemas.states import State\n\n"
        "        latest = attempts_of(writing.connection, writing.mid, news.order_id)[-1]\n"
        "        if latest.state is State.PENDING:\n"
        '            move_orders(writing, [Move(latest, State.DECLINED, "poll", "told", evidence_id)])\n'
        '    return "applied", evidence_id\n',
        "I23",
        _told("", Deed("told", 1, 0, "order.cancelled", "before SFTP opendir")),
        hunted=True,
    ),
    Planted(
        "signature-is-not-checked",
        "a webhook is believed when its body's hash is right, whoever signed it",
        _DOOR,
        "        if not (same_body & same_signature):\n",
        "        if not same_body:\n",
        "I23",
        _told("wrong_webhook_key*9", row="completes"),
        hunted=True,
    ),
    Planted(
        "the-body-is-not-what-was-signed",
        "the hash that came with a webhook is signed for instead of the hash of its body",
        _DOOR,
        "        content_hash = _text(hashlib.sha512(body).digest())\n",
        "        content_hash = given[CONTENT_HASH]\n",
        "I23",
        _told("changed_webhook_body*9", row="completes"),
        hunted=True,
    ),
    Planted(
        "a-stale-webhook-is-believed",
        "a webhook may be as old as it likes",
        _DOOR,
        "abs(now - sent_at) > TOLERANCE:\n",
        "sent_at - now > TOLERANCE:\n",
        "I23",
        _told("stale_webhook*9", row="completes"),
        hunted=True,
    ),
    Planted(
        "any-host-will-do",
        "a webhook that was signed for another merchant's host is believed",
        _DOOR,
        '        signed = f"POST\\n{given[NONCE]};{given[DATE]};{self.host};{content_hash}"\n',
        '        hosts = (self.host, "other.example")\n'
        '        right = [f"POST\\n{given[NONCE]};{given[DATE]};{host};{content_hash}" for host in hosts]\n'
        "        made = [_text(hmac.digest(self.key, each.encode(), 'sha512')) for each in right]\n"
        "        signed = right[1] if made[1] == given[AUTHORIZATION][-88:] else right[0]\n",
        "I23",
        _told("other_host_webhook*9", row="completes"),
        hunted=True,
    ),
    Planted(
        "a-nonce-is-good-twice",
        "a webhook that comes again is kept again, under a nonce made new",
        _INBOX,
        "        nonces = [_kept(arrival.nonce) for arrival in arrivals]\n",
        '        there = connection.exec_driver_sql("SELECT count(*) FROM webhook").scalar_one()\n'
        "        arrivals = [\n"
        '            Arrival(f"{each.nonce}+{there + n}", each.sent_at, each.received_at, each.content)\n'
        "            for n, each in enumerate(arrivals)\n"
        "        ]\n"
        "        nonces = [_kept(arrival.nonce) for arrival in arrivals]\n",
        "I23",
        _told("duplicate_webhook", row="completes"),
        hunted=True,
    ),
    Planted(
        "test-mode-counts-in-production",
        "a webhook of the provider's test mode is followed in production",
        _NEWS,
        '    if says.is_test and equipment.settings.environment == "production":\n',
        '    if says.is_test and equipment.settings.environment == "nowhere":\n',
        "I21",
        _told("test_mode_webhook*9", row="completes"),
        hunted=True,
    ),
    Planted(
        "test-mode-is-passed-over-in-silence",
        "a test webhook in production is ignored, and nobody is told",
        _NEWS,
        "        _tell(writing, equipment, ItemKind.QUARANTINE, TEST_MODE, words, evidence_id)\n",
        "        words = evidence_id\n",
        "I21",
        _told("test_mode_webhook*9", row="completes"),
        hunted=True,
    ),
    Planted(
        "webhooks-are-never-applied",
        "what is kept is never followed",
        _NEWS,
        "AT_A_TIME = 64\n",
        "AT_A_TIME = 0\n",
        "I23",
        _told(row="completes"),
        hunted=True,
    ),
    Planted(
        "a-webhook-is-applied-by-every-run",
        "what is kept stays to be applied, and every run follows it once more",
        _NEWS,
        "        _apply_page(equipment, run, page)\n        applied += len(page)\n",
        "        from contextlib import suppress\n\n"
        "        with suppress(ZeroDivisionError), equipment.ledger.writing(run) as writing:\n"
        "            for waiting in page:\n                _apply(writing, equipment, waiting)\n"
        "            1 / 0\n"
        "        return len(page)\n",
        "I23",
        _told(row="completes"),
        hunted=True,
    ),
    Planted(
        "answered-before-it-is-kept",
        "a webhook is answered with 200 although its commit failed",
        "jobs/serve/group_commit.py",
        "                    kept.set_exception(refusal)\n",
        "                    kept.set_result(True)\n",
        "I23",
        Fails(f"{_SERVE}::test_a_store_that_fails_answers_nobody_well"),
    ),
    Planted(
        "a-webhook-about-a-stranger-is-forgotten",
        "what names an id that we do not know yet is not kept for when we do",
        "batch/outcome_news.py",
        "    keep_early_news(writing, [*early, *(name_of_ours(row.order_id) for row in ours)], evidence_id)\n",
        '    if source == "file":\n'
        "        keep_early_news(writing, [*early, *(name_of_ours(row.order_id) for row in ours)], evidence_id)\n",
        "I8",
        Fails("tests/confluence/test_confluence.py::test_every_order_of_arrival_ends_alike", "webhook-by-key-only"),
    ),
    Planted(
        "news-of-a-refused-order-is-silent",
        "an order that news keeps from being claimed again, and that nobody may search for, is told to nobody",
        "batch/pipeline.py",
        "    attempt(findings, lambda: tell_of_hinted_refusals(equipment, run))\n",
        "",
        "I13",
        Fails("tests/night/test_hinted_refusals.py::test_a_person_is_told_and_lets_it_go_on"),
    ),
    Planted(
        "a-hint-with-a-strange-id-is-believed",
        "a hint that names our order with an id that is not its own is followed while we know none",
        "batch/outcome_news.py",
        "    is_proven = not is_unproven(writing, **ids)\n",
        "    is_proven = True\n",
        "I8",
        Fails("tests/confluence/test_confluence.py::test_every_order_of_arrival_ends_alike", "ids-that-do-not-fit"),
    ),
    Planted(
        "an-order-id-in-the-log",
        "the log of requests names the order that was asked for",
        "jobs/serve/app.py",
        '        answered(HOLDS, 200, "may_charge" if found["may_charge"] else "must_not_charge")\n',
        '        answered(f"{HOLDS}{order_id}", 200, "may_charge" if found["may_charge"] else "must_not_charge")\n',
        "I18",
        Fails(f"{_SERVE}::test_the_log_tells_nothing_of_what_was_sent"),
    ),
    Planted(
        "a-body-in-pieces-has-no-end",
        "a body whose length is not announced may be as large as it likes",
        "jobs/serve/bodies.py",
        "                if len(body) > most_bytes:\n",
        "                if len(body) > 1 << 30:\n",
        "I22",
        Fails(f"{_SERVE}::test_the_largest_body_is_taken_and_no_larger_one"),
    ),
)
"""Bugs between what the provider tells by itself and what follows from it."""
