"""How a seed draws what goes wrong: the kinds, their names, and how often each is drawn. Swarm style: few kinds per seed."""

import random
from collections.abc import Callable, Sequence

Drawn = tuple[str, int, int, str, str]
"""What a deed is made of: kind, run, at, name, label."""

RARE = (
    "H-02 H-02 P-07 P-07 F-14 F-14 F-07 F-07 F-18 F-18 H-13 H-13 N-10 N-10 D-16 D-16 F-08 H-01 H-07 F-03 D-10 F-13 N-13 F-11 F-12"
    " P-04 H-10 F-10 F-17 H-20 H-17 P-06 N-08 F-20 F-04 D-20 P-12 H-19 H-05 H-06 H-15 F-05 F-08 F-15 P-20"
).split()
"""Ids that are aimed at once or twice more than the others, because other deeds rarely let them strike."""

COUNTS = (0, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5)

SFTP_FAULTS = (
    "refuse_connection refuse_login too_many_sessions other_host_key other_host_key weak_algorithms weak_algorithms"
    " refuse_write refuse_list refuse_remove disk_full disk_full short_write drop_connection_halfway drop_after_close"
    " drop_after_close append_instead_of_truncate append_instead_of_truncate size_missing wrong_size stall stall_after"
    " refuse_rename name_taken failure_after_rename rename_unsupported copied_rename take_file_at_once drop_before_rename"
    " drop_after_rename drop_after_rename reset_line half_closed stale_list partial_list unordered_list hostile_names"
    " vanished_file other_host_view other_host_view crowded_list"
).split()
HTTP_FAULTS = (
    "unauthorized_once unauthorized_once server_error_before server_error_after gateway_timeout_after not_found token_refused"
    " token_refused reset_connection silence_after html_answer empty_answer unknown_status other_order_answer"
    " other_order_answer malformed_json truncated_json not_utf8_json duplicate_key_json deep_json huge_json@3 failure_in_200"
    " failure_in_200 too_many_requests too_many_requests_absurd too_many_requests_date too_many_requests_negative"
    " too_many_requests_seconds bad_gateway gateway_timeout service_unavailable forbidden forbidden not_found_yet"
    " redirect_elsewhere redirect_elsewhere clock_behind expires_far_away expires_negative expires_zero gzip_bomb@4"
    " gzip_bomb@4 endless_body"
).split()
PAGE_FAULTS = "next_page_wrong page_repeats page_skips".split()
FILE_FAULTS = (
    "refuse_row refuse_file no_acknowledgement partial_acknowledgement missing_rows duplicate_rows contradictory_rows"
    " repeated_file same_content_other_name same_name_other_content other_mid other_mid utf16_file nul_bytes cp1252_file"
    " mixed_encodings crlf_lines mixed_line_ends no_last_newline empty_file no_rows unknown_orders unknown_orders late_file"
    " growing_file growing_file folder_instead_of_file link_instead_of_file cut_inside_character byte_order_mark"
    " deep_json_file huge_number gzip_bomb_file added_columns renamed_columns reordered_columns csv_file"
).split()
OUTCOME_FAULTS = "approved_after_expired expired_after_approved contradictory_rows late_file same_name_other_content".split()
ACTION_FAULTS = (
    "gateway_timeout_after reset_connection conflict_after conflict_before server_error_before truncated_json silence_after"
).split()
WEBHOOK_FAULTS = (
    "wrong_webhook_key unsigned_webhook changed_webhook_body stale_webhook other_host_webhook replayed_webhook"
    " duplicate_webhook resent_webhook early_webhook contrary_webhook late_webhook test_mode_webhook odd_content_type"
    " extra_webhook_fields absent_webhook_fields huge_webhook unknown_order_webhook"
).split()
WEBHOOK_EVENTS = (
    "order.completed order.cancelled order.expired order.refunded order.capturerequired payment.chargeback.received"
).split()
FAULTS = (SFTP_FAULTS, HTTP_FAULTS, FILE_FAULTS)

LABELS = (
    "before commit ledger",
    "after commit ledger",
    "before commit orders",
    "after commit orders",
    "before create evaluate",
    "after replace evaluate",
    "before HTTP token",
    "after HTTP token",
    "before HTTP order",
    "after HTTP order",
    "before SFTP connect",
    "before SFTP open",
    "asked SFTP open",
    "before SFTP write",
    "asked SFTP write",
    "asked SFTP close",
    "before SFTP rename",
    "asked SFTP rename",
    "before SFTP opendir",
    "before SFTP read",
    "before sync .summary",
    "before replace summary",
)
RENAMES = ("before SFTP rename", "asked SFTP rename", "after commit ledger", "before SFTP write", "asked SFTP write")
TRAITS = (
    "amount zero,amount negative,amount huge,amount beyond 64 bits,amount with a fraction,amount with a comma,no decimals,"
    "three decimals,euro,currency in lower case,currency in lower case,unknown currency,unknown currency,id with zeros,"
    "id like a number,long id,id with spaces,id with an accent,id of parts,emoji,right to left,cyrillic twin,"
    "upper case twin,lower case twin,amount not a number,amount without end,no amount,no currency,the word None,no site,"
    "no time,formula,formula,wide formula,formula after a mark,token missing,token of nobody,token refused,card expired,"
    "card expired,card expired,stolen card,stolen card,advice never,card number,card number,card number as id,"
    "mail with a line end,mail with a line end,name of SQL,name of a template,charged back,charged back,returned,"
    "completed for less,completed for less,completed for less,problem,capture required,second site,unknown site,too old,"
    "opted out,in flight"
).split(",")
STARTS = (
    "2026-10-31T05:30:00+00:00 America/New_York",
    "2026-11-01T04:50:00+00:00 America/New_York",
    "2026-11-01T05:45:00+00:00 America/New_York",
    "2027-03-13T06:30:00+00:00 America/New_York",
    "2027-03-14T06:45:00+00:00 America/New_York",
    "2027-03-27T23:30:00+00:00 Europe/Berlin",
    "2026-10-03T15:40:00+00:00 Australia/Lord_Howe",
    "2026-12-31T10:30:00+00:00 Pacific/Kiritimati",
    "2028-02-29T04:30:00+00:00 America/New_York",
)
SETTINGS = (
    'channels.evaluate_format="csv"',
    'channels.evaluate_format="csv"',
    'channels.transmit_format="json"',
    'schedule.timezone="Asia/Tokyo"',
    'schedule.timezone="Pacific/Kiritimati"',
    'schedule.timezone="America/Los_Angeles"',
    'provider.mid="11111111-2222-4333-8444-555555555555"',
    'provider.api_url="http://127.0.0.1:10/v1/"',
    'writeback.on_not_recovered="keep"',
    "gate.send_expired_cards=false",
    "gate.max_decline_age_hours=168",
    "switches.mit=false",
    "site.acme-us=false",
    "channels.max_rows_per_file=1",
)


def _early(chance: random.Random) -> int:
    return chance.choice((0, 0, 0, 1, 1, 2, 3))


def _late(chance: random.Random) -> int:
    return chance.choice((1, 1, 2, 2, 3))


def _place(chance: random.Random, labels: Sequence[str] = LABELS) -> tuple[int, str]:
    """The n-th point of all in one case of four, else the n-th crossing of a label."""
    if chance.randrange(4) == 0:
        return chance.randrange(1, 180), ""
    return chance.choice((0, 0, 0, 1, 1, 2, 3, 5, 8)), chance.choice(labels)


Draw = Callable[[random.Random], list[Drawn]]


def _at_a_point(kind: str, names: Sequence[str] = ("",), labels: Sequence[str] = LABELS) -> Draw:
    def draw(chance: random.Random) -> list[Drawn]:
        at, label = _place(chance, labels)
        return [(kind, _early(chance), at, chance.choice(names), label)]

    return draw


def _pair_of_crashes(chance: random.Random) -> list[Drawn]:
    run = chance.choice((0, 0, 1))
    return [("crash", run, *_swap(_place(chance))), ("crash", run + chance.choice((1, 2)), *_swap(_place(chance)))]


def _swap(place: tuple[int, str]) -> tuple[int, str, str]:
    return place[0], "", place[1]


def _fault(chance: random.Random) -> list[Drawn]:
    chances = chance.choice((0, 0, 0, 1, 2, 5))
    times = chance.choice(("", "", "", "*2", "*5"))
    return [("fault", _early(chance), chances, chance.choice(chance.choice(FAULTS)) + times, "")]


def _paging(chance: random.Random) -> list[Drawn]:
    """A listing is only asked for when an acknowledgement stays away beyond the window."""
    return [
        ("fault", 0, 0, "no_acknowledgement", ""),
        ("fault", 1, 0, chance.choice(PAGE_FAULTS) + "*3", ""),
    ]


def _outcome(chance: random.Random) -> list[Drawn]:
    name = chance.choice(OUTCOME_FAULTS)
    return [("provider", 0, 0, "outcome_files=true", ""), ("fault", chance.choice((0, 1, 1, 2)), chance.choice((0, 1)), name, "")]


def _sheets(chance: random.Random) -> list[Drawn]:
    """A provider that answers in CSV; now and then a file of its is spoilt."""
    drawn: list[Drawn] = [("provider", 0, 0, 'answer_format="csv"', "")]
    if chance.randrange(2):
        drawn.append(("fault", chance.choice((0, 0, 1)), chance.choice((0, 0, 1)), chance.choice(FILE_FAULTS), ""))
    return drawn


def _listing(chance: random.Random) -> list[Drawn]:
    """Many orders are due, for a merchant to whom two are many: the listing is asked first; it may be a bad one."""
    drawn: list[Drawn] = [("settings", 0, 0, "outcomes.listing_from=1", "")]
    drawn += [("order", 0, n, "", "") for n in range(chance.choice((1, 2, 4)))]
    if chance.randrange(2):
        drawn.append(("fault", chance.choice((1, 1, 2)), 0, chance.choice((*PAGE_FAULTS, *HTTP_FAULTS)), ""))
    return drawn


def _provider(chance: random.Random) -> list[Drawn]:
    wanted = (
        "outcome_files=true",
        'removal="never"',
        'removal="later"',
        "pickup_delay_seconds=1800",
        "pickup_delay_seconds=40000",
        "acknowledgement_delay_seconds=7200",
        'deduplicate="order_id"',
        'deduplicate="file_name"',
        "token_seconds=60",
    )
    return [("provider", 0, 0, chance.choice(wanted), "")]


def _network(chance: random.Random) -> list[Drawn]:
    return [("network", _early(chance), chance.randrange(4), chance.choice(("before", "before", "after")), "")]


def _leap(chance: random.Random) -> list[Drawn]:
    at, label = _place(chance)
    return [("leap", _early(chance), at, str(chance.choice((-86400, -3600, 1000, 3600, 7200, 90000))), label)]


def _commit(chance: random.Random) -> list[Drawn]:
    label = f"{chance.choice(('before', 'after'))} commit {chance.choice(('ledger', 'ledger', 'orders'))}"
    return [("commit", _early(chance), chance.choice((0, 0, 1, 1, 2, 3, 4, 6, 8)), "", label)]


def _orders(chance: random.Random) -> list[Drawn]:
    if chance.randrange(3) == 0:
        return [("orders", _early(chance), 0, chance.choice(("60", "1000")), "before commit orders")]
    return [("orders", _early(chance), chance.randrange(4), chance.choice(("refuse row", "refuse row", "away")), "")]


def _merchant(chance: random.Random) -> list[Drawn]:
    name = chance.choice(
        ("paid", "paid", "cancelled", "cancelled", "amount", "gone", "currency", "retry", "set back held", "hold taken")
    )
    at, label = _place(chance)
    return [("merchant", _early(chance), at, name, label)]


def _again(chance: random.Random) -> list[Drawn]:
    """The merchant sets an order that has ended back to declined, and the night sees it again."""
    drawn: list[Drawn] = [("row", 0, n, "token refused", "") for n in range(2)] if chance.randrange(2) else []
    at = chance.randrange(4)
    return [*drawn, ("merchant", chance.choice((2, 3, 4)), at, "set back", "before commit ledger")]


def _job(chance: random.Random) -> list[Drawn]:
    run = chance.choice((0, 1, 1, 2, 2, 3))
    names = ("rerun", "rerun", "yesterday", "batch", "batch", "poll all", "transmit", "dry run")
    return [("job", run, 0, chance.choice(names), "")]


def _operator(chance: random.Random) -> list[Drawn]:
    """Somebody cancels, captures or refunds, with what goes wrong on that very way; and asks for it once more."""
    name, run = chance.choice(("cancel", "cancel", "refund", "refund", "refund part", "refund part", "capture")), _late(chance)
    drawn: list[Drawn] = [("row", 0, n, "capture required", "") for n in range(3)] if name == "capture" else []
    drawn += [("job", run, 0, name, "")]
    if chance.randrange(2):
        at, label = chance.choice(((0, "before HTTP"), (1, "after HTTP"), (2, "after HTTP"), (3, "before commit ledger")))
        drawn.append((chance.choice(("crash", "second run", "commit")), run, at, "", label))
    if chance.randrange(2):
        drawn.append(("fault", run, chance.choice((0, 1, 2)), chance.choice(ACTION_FAULTS), ""))
    if chance.randrange(2):
        drawn.append(("job", run + 1, 0, name, ""))
    return drawn


def _transmit(chance: random.Random) -> list[Drawn]:
    """A good charge is there, and its copy goes out in a run of its own."""
    at, label = _place(chance, RENAMES)
    drawn: list[Drawn] = [("merchant", 0, 1, "paid", ""), ("job", 1, 0, "transmit", "")]
    return [*drawn, ("crash", 1, at, "", label)] if chance.randrange(2) else drawn


def _start(chance: random.Random) -> list[Drawn]:
    drawn: list[Drawn] = [("start", 0, 0, chance.choice(STARTS), "")]
    return [*drawn, ("order", 2, chance.randrange(9), "", "")]


def _settings(chance: random.Random) -> list[Drawn]:
    return [("settings", chance.choice((0, 1, 2, 2, 3)), 0, chance.choice(SETTINGS), "")]


def _short_expiry(chance: random.Random) -> list[Drawn]:
    return [
        ("settings", 0, 0, "provider.insist_on_short_expiry=true", ""),
        ("settings", 0, 1, f"provider.expiry_days={chance.choice((1, 2, 3))}", ""),
    ]


def _volume(chance: random.Random) -> list[Drawn]:
    drawn: list[Drawn] = [("settings", 0, 0, f"channels.max_rows_per_file={chance.choice((1, 2))}", "")]
    return drawn + [("order", 0, n, "", "") for n in range(chance.choice((2, 4)))]


def _row(chance: random.Random) -> list[Drawn]:
    return [("row", 0, chance.randrange(3), chance.choice(TRAITS), "")]


def _twins(chance: random.Random) -> list[Drawn]:
    names = chance.choice((("upper case twin", "lower case twin", "cyrillic twin"), ("id with an accent", "id of parts")))
    return [("order", 0, n, name, "") for n, name in enumerate(names)]


def _order(chance: random.Random) -> list[Drawn]:
    return [("order", _late(chance), chance.randrange(9), chance.choice(("", "", chance.choice(TRAITS))), "")]


def _restore(chance: random.Random) -> list[Drawn]:
    """A copy of the ledger is made at some point, and is the ledger of a later run."""
    name = chance.choice(("backup", "backup", "backup", "empty", "copy"))
    backup = ("backup", 0, chance.choice((0, 1, 2, 3, 4, 5, 6, 9)), "", "after commit ledger")
    late: Drawn = ("restore", _late(chance), 0, name, "")
    return [late] if name == "empty" else [backup, late]


def _files(chance: random.Random) -> list[Drawn]:
    places = ("inbound deleted", "outbound deleted", "export deleted", "audit deleted", "audit edited", "outbound deleted")
    drawn: list[Drawn] = [("files", _late(chance), 0, chance.choice(places), "")]
    if chance.randrange(3) == 0:
        at, label = _place(chance, RENAMES)
        return [("crash", 0, at, "", label), *drawn]
    return drawn


def _secret(chance: random.Random) -> list[Drawn]:
    return [("secret", _early(chance), 0, chance.choice(("app_secret", "app_key")), "")]


def _ledger(chance: random.Random) -> list[Drawn]:
    return [("ledger", _early(chance), 0, chance.choice(("newer", "damaged", "readable", "newer")), "")]


def _webhooks(chance: random.Random) -> list[Drawn]:
    """The provider tells what happens, some of it wrongly, and sometimes in the midst of a run."""
    row: Drawn = ("row", 0, chance.randrange(2), chance.choice(("completes", "expires", "charged back", "returned")), "")
    drawn: list[Drawn] = [row, ("webhooks", 0, 0, chance.choice(WEBHOOK_FAULTS) + chance.choice(("", "", "*2")), "")]
    if chance.randrange(2):
        at, label = _place(chance)
        drawn.append(("told", _late(chance), at, chance.choice(WEBHOOK_EVENTS), label))
    return drawn


DRAWS: dict[str, Draw] = {
    "crash": _at_a_point("crash"),
    "pair of crashes": _pair_of_crashes,
    "power cut": _at_a_point("power cut"),
    "fault": _fault,
    "fault again": _fault,
    "fault once more": _fault,
    "paging": _paging,
    "outcome": _outcome,
    "provider": _provider,
    "sheets": _sheets,
    "listing": _listing,
    "network": _network,
    "engine": _at_a_point("engine"),
    "disk full": _at_a_point("disk full"),
    "second run": _at_a_point("second run", ("", "poll", "rerun", "transmit")),
    "paused": _at_a_point("paused", ("nightly", "nightly", "poll", "rerun")),
    "stop": _at_a_point("stop", ("SIGTERM", "SIGINT", "twice")),
    "leap": _leap,
    "commit": _commit,
    "locked": _at_a_point("locked", ("ledger", "orders")),
    "orders": _orders,
    "merchant": _merchant,
    "again": _again,
    "job": _job,
    "operator": _operator,
    "transmit": _transmit,
    "start": _start,
    "settings": _settings,
    "short expiry": _short_expiry,
    "volume": _volume,
    "row": _row,
    "rows": _row,
    "twins": _twins,
    "order": _order,
    "restore": _restore,
    "files": _files,
    "secret": _secret,
    "ledger": _ledger,
    "webhooks": _webhooks,
}
KINDS = tuple(DRAWS)
