"""The group `feature`: what the provider calls essential, each shown with orders of its own."""

import json
from collections.abc import Mapping

from batch.ledger.switches import SwitchWanted
from batch.switching import KINDS
from jobs.certify.bench import Bench
from jobs.certify.looks import ready_order
from jobs.certify.marked_orders import of_customer_present
from jobs.certify.refund import books_agree
from jobs.certify.sheet import Seen, Sheet
from jobs.switches import carry_out
from schemas.order import Origin

WEBSITE, CALL_CENTER = of_customer_present(Origin.WEBSITE), of_customer_present(Origin.CALL_CENTER)
HOLD = "Let nothing but the pipeline write the columns of a held row, and the retry job take retryable_orders alone."


def run_features(bench: Bench, sheet: Sheet) -> None:
    """Judge every item of the group; none needs another."""
    bench.run("poll")  # switches belong to a ledger that has had a run
    sheet.show("feature.reconciliation", bench, (), lambda: statuses_are_right(bench))
    sheet.show("feature.retries_stopped", bench, (), lambda: nothing_goes_twice(bench))
    sheet.show("feature.channels_switched", bench, (), lambda: channels_are_apart(bench))
    sheet.show("feature.sites", bench, (), lambda: sites_are_told(bench))
    sheet.show("feature.call_center", bench, (), lambda: call_center_is_apart(bench))


def statuses_are_right(bench: Bench) -> Seen:
    """One order is pending, one approved, one declined: each row says so, and the books agree."""
    worked_on = bench.test_cards[0] if bench.mode == "managed" else bench.test_cards[2]
    pending = ready_order(bench, card=worked_on)
    approved, declined = ready_order(bench, WEBSITE), ready_order(bench, WEBSITE, card=bench.test_cards[2])
    bench.run("nightly")
    wanted = {pending: "pending", approved: "completed", declined: "not_recovered"}
    shown = {order_id: bench.orders.row(order_id)["status"] for order_id in wanted}
    for order_id, status in wanted.items():
        if shown[order_id] != status:
            return Seen(
                is_right=False, sentence=f"The row of {order_id} says {shown[order_id]} where {status} is right.", change=HOLD
            )
    agreed = books_agree(bench, *wanted)
    if not agreed.is_right:
        return agreed
    said = ", ".join(f"{order_id} {status}" for order_id, status in shown.items())
    return Seen(is_right=True, sentence=f"Rows and provider agree ({said}), and the reconciliation finds no difference in them.")


def nothing_goes_twice(bench: Bench) -> Seen:
    """While an order is worked on, another night sends nothing of it, and the retry job cannot take it."""
    order_id = ready_order(bench, card=bench.test_cards[0] if bench.mode == "managed" else bench.test_cards[2])
    bench.run("nightly")
    first = bench.submission(order_id)
    again = bench.run("nightly")
    then, found = bench.submission(order_id), bench.find_at_provider(order_id)
    same = first is not None and then is not None and (first.attempt, first.batch_id) == (then.attempt, then.batch_id)
    if not same or again.findings.delivered or len(_calls_of(bench, order_id)) > 1:
        change = "Look at the calls and files of this item with the provider; send no more until it is clear."
        return Seen(is_right=False, sentence=f"{order_id} was not sent exactly once by two nights.", change=change)
    if found.is_double or found.read is None:
        said = "has it twice" if found.is_double else f"does not show it ({found.problem or 'no such order'})"
        return Seen(is_right=False, sentence=f"{order_id} was sent once, and the provider {said}.", change="Ask the provider.")
    if bench.orders.retry_takes(order_id):
        return Seen(is_right=False, sentence=f"The retry job's statement took {order_id} while it is pending.", change=HOLD)
    sentence = f"{order_id} was sent once; a second night sent nothing, the provider has it once, and the retry job took nothing."
    return Seen(is_right=True, sentence=sentence)


def channels_are_apart(bench: Bench) -> Seen:
    """With MIT off a customer's order goes and a recurring one stays; with CIT off it is the other way round."""
    return _apart(bench, (Origin.RECURRING, {}), (Origin.WEBSITE, WEBSITE))


def call_center_is_apart(bench: Bench) -> Seen:
    """Call-centre orders bear another orderSource than website orders, and each kind goes while the other is off."""
    apart = _apart(bench, (Origin.CALL_CENTER, CALL_CENTER), (Origin.WEBSITE, WEBSITE))
    if not apart.is_right:
        return apart
    website, call_center = ready_order(bench, WEBSITE), ready_order(bench, CALL_CENTER)
    bench.run("nightly")
    sources = [_asked(bench, order_id).get("orderSource") for order_id in (website, call_center)]
    if not all(sources) or sources[0] == sources[1]:
        said = f"website orders travel as {sources[0]}, call-centre orders as {sources[1]}"
        return Seen(
            is_right=False,
            sentence=f"They are not told apart: {said}.",
            change="Give each its own word in the profile's order_sources.",
        )
    return Seen(is_right=True, sentence=f"They travel as {sources[1]} and {sources[0]}. {apart.sentence}")


def sites_are_told(bench: Bench) -> Seen:
    """Every site's order bears that site's own id, and the provider takes it."""
    by_id: dict[str, str] = {}
    for site in bench.settings.sites:
        order_id = ready_order(bench, {**WEBSITE, "site": site.name})
        bench.run("nightly")
        asked, claim = _asked(bench, order_id), bench.submission(order_id)
        if asked.get("siteId") != site.site_id or claim is None or not claim.provider_order_id:
            said = f"{order_id} of {site.name} ({site.site_id}) travelled with siteId {asked.get('siteId') or 'none'}"
            change = "Check the account's sites in [certify.*] with the portal."
            return Seen(is_right=False, sentence=f"{said}, and was not taken.", change=change)
        if site.site_id in by_id:
            said = f"{site.name} and {by_id[site.site_id]} have the same site id"
            return Seen(
                is_right=False, sentence=f"{said}: the origin of an order cannot be told.", change="Give each site its own id."
            )
        by_id[site.site_id] = site.name
    return Seen(is_right=True, sentence=f"Orders of {', '.join(by_id.values())} travelled with the site id of their own site.")


def _apart(bench: Bench, one: tuple[Origin, Mapping[str, object]], other: tuple[Origin, Mapping[str, object]]) -> Seen:
    """Turn each of two kinds off in turn: its order stays free, and the other kind's goes."""
    said = []
    for (off, off_row), (on, on_row) in ((one, other), (other, one)):
        stays, goes = ready_order(bench, off_row), ready_order(bench, on_row)
        _turn(bench, KINDS[off], on=False)
        try:
            bench.run("nightly")
        finally:
            _turn(bench, KINDS[off], on=True)
        sent, kept = bench.submission(goes), bench.submission(stays)
        at_provider = bench.find_at_provider(stays)
        if kept is not None or at_provider.read is not None:
            sentence = f"{stays} ({off.value}) was sent although {KINDS[off]} was off."
            return Seen(is_right=False, sentence=sentence, change="Report it; send no more until it is clear.")
        if sent is None or not sent.provider_order_id:
            sentence = f"{goes} ({on.value}) was not taken while only {KINDS[off]} was off."
            return Seen(
                is_right=False,
                sentence=sentence,
                change="Look at the calls of this item: what the provider refused stands in its answer.",
            )
        said.append(f"with {KINDS[off]} off {on.value} went and {off.value} stayed")
    return Seen(is_right=True, sentence=f"They are switched apart: {'; '.join(said)}.")


def _turn(bench: Bench, name: str, *, on: bool) -> None:
    wanted = SwitchWanted(name, on, "certification", "mitbatch certify")
    carry_out(bench.settings, bench.around, "switch", wanted)


def _asked(bench: Bench, order_id: str) -> dict[str, str]:
    """What was kept of the first evaluate call of this order."""
    return next(iter(_calls_of(bench, order_id)), {})


def _calls_of(bench: Bench, order_id: str) -> list[dict[str, str]]:
    calls = [json.loads(each.request or "{}") for each in bench.recording.exchanges if each.path.endswith("/evaluate")]
    return [call for call in calls if call.get("orderId") == order_id]
