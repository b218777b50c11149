"""What the checkout does at each step, by plain calls: whose the row is, what is sent, and what is never sent twice."""

import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from jobs.clock import ShiftedClock
from jobs.sandbox import Sandbox
from jobs.sandbox.checkout import Checkout
from jobs.sandbox.checkout.cards import CHALLENGE_PHONE
from jobs.sandbox.checkout.orders import COLUMNS, Orders
from jobs.sandbox.checkout.provider import Provider, proved
from jobs.sandbox.checkout.shop import Shop
from schemas.order import INTEGER_COLUMNS, OPTIONAL_COLUMNS, READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS
from tests.checkout.buying import FORM, bought, customer, pay, placed, row_of, stage
from tests.checkout.walking import CHALLENGE, DECLINED, SUCCESS
from tests.ports import kept_port
from tests.sandbox.merchant import http

STRANGER = "4242424242424242"


def sent(sandbox: Sandbox) -> list[object]:
    """The order ids of all evaluates that the provider took."""
    return [row["order_id"] for row in sandbox.accepted("evaluate")]


@pytest.mark.parametrize(
    ("number", "changed", "shown", "row"),
    [
        (SUCCESS, {}, "success", ("completed", "COMPLETED", None)),
        (DECLINED, {}, "declined", ("not_recovered", "CANCELLED", None)),
        (CHALLENGE, {"phone": CHALLENGE_PHONE}, "widget", ("pending", "CHALLENGE", "in_flight")),
        (SUCCESS, {"bank": "approve"}, "success", ("paid", None, None)),
    ],
)
def test_each_answer_has_its_page_and_its_row(
    sandbox: Sandbox, shop: Checkout, number: str, changed: dict[str, str], shown: str, row: tuple[str | None, ...]
) -> None:
    """The provider's answer decides page, status and claim; a good charge sends nothing."""
    order_id, found = bought(shop, number, **changed)
    kept = row_of(shop.orders_path, order_id)

    assert (found, (kept["status"], kept["provider_status"], kept["retry_state"])) == (shown, row)
    assert sent(sandbox) == ([] if changed.get("bank") else [order_id])
    assert (kept["origin"], kept["customer_ip"], kept["card_last4"]) == ("website", "127.0.0.1", number[-4:])


def test_the_wire_carries_a_cit(sandbox: Sandbox, shop: Checkout) -> None:
    """The provider sees a customer who is present: no expiry, our key, the price in cents."""
    order_id, _ = bought(shop)
    (accepted,) = sandbox.accepted("evaluate")

    assert (accepted["order_id"], accepted["amount"], accepted["currency"], accepted["expiry"]) == (order_id, 12900, "USD", None)
    assert [row["way"] for row in sandbox.orders()] == ["cit"]


@pytest.mark.parametrize(
    ("fault", "where"), [("token_refused", None), ("too_many_requests", "evaluate"), ("server_error_before", "tokenize")]
)
def test_what_was_certainly_not_sent_is_left_to_mitbatch(sandbox: Sandbox, shop: Checkout, fault: str, where: str | None) -> None:
    """No bearer, a 429, no payment token: nothing was charged, the row is declined and unclaimed, and nothing was sent."""
    with Checkout(sandbox, shop.orders_path) as fresh:
        sandbox.faults.switch_on(fault, times=9, where=where)
        order_id, shown = bought(fresh)
    row = row_of(shop.orders_path, order_id)

    assert (shown, row["status"], row["retry_state"], sent(sandbox)) == ("later", "declined", None, [])
    assert (row["payment_token"] is None) == (where == "tokenize")


def test_a_provider_that_is_down_costs_no_order(tmp_path: Path) -> None:
    """Nobody listens any more: the customer is told that nothing was charged, and the row waits for mitbatch."""
    sandbox = Sandbox(tmp_path / "sandbox", clock=ShiftedClock())
    sandbox.start()
    with Checkout(sandbox) as shop:
        sandbox.stop()
        order_id, shown = bought(shop)

    assert (shown, row_of(shop.orders_path, order_id)["status"]) == ("later", "declined")


def test_no_connection_proves_that_nothing_was_sent(shop: Checkout) -> None:
    """An evaluate for which no connection came about has certainly done nothing."""
    with kept_port() as port:
        provider = Provider(replace(shop.shop, api_url=f"http://127.0.0.1:{port}/v1/"))
        provider._bearer = "given before"

        assert provider.evaluate({}).proof == "nothing_sent"
        provider.close()


@pytest.mark.parametrize("fault", ["reset_connection", "server_error_after", "failure_in_200"])
def test_a_lost_answer_is_looked_up_and_never_repeated(sandbox: Sandbox, shop: Checkout, fault: str) -> None:
    """The call was taken and its answer lost: the page finds it by the order id, one evaluate, and the end is right."""
    sandbox.faults.switch_on(fault, where="evaluate")
    order_id, shown = bought(shop)

    assert (sandbox.faults.fired(fault), shown, sent(sandbox)) == (1, "success", [order_id])
    assert row_of(shop.orders_path, order_id)["status"] == "completed"


def test_what_nobody_knows_stays_claimed(sandbox: Sandbox, shop: Checkout) -> None:
    """A 500 without any order at the provider: the row stays claimed, the page says so, nothing goes again."""
    sandbox.faults.switch_on("server_error_before", where="evaluate")
    order_id, shown = bought(shop)
    with customer(shop) as client:
        again = client.post(f"orders/{order_id}/again")
        pay(client, order_id)

        assert (shown, stage(client, order_id)) == ("busy", "busy")
    row = row_of(shop.orders_path, order_id)
    assert (row["status"], row["retry_state"], sent(sandbox)) == ("declined", "in_flight", [])
    assert again.headers["location"] == f"/orders/{order_id}"


def test_an_expired_bearer_is_replaced_once(sandbox: Sandbox, shop: Checkout) -> None:
    """A 401 proves that nothing was done: one new bearer, one evaluate."""
    bought(shop)
    sandbox.advance(timedelta(seconds=601))
    _, shown = bought(shop)

    assert (shown, len(sent(sandbox))) == ("success", 2)


def test_many_payments_of_one_order_are_one(sandbox: Sandbox, shop: Checkout) -> None:
    """Eight forms at the same moment: one token, one charge, one evaluate, and every one leads to the same page."""
    together = threading.Barrier(8)

    def press(order_id: str) -> tuple[int, str]:
        with customer(shop) as client:
            together.wait(30)
            answer = pay(client, order_id)
            return answer.status_code, answer.headers["location"]

    with customer(shop) as client, ThreadPoolExecutor(8) as pool:
        order_id = placed(client)
        answers = set(pool.map(press, [order_id] * 8))

        assert (answers, stage(client, order_id)) == ({(303, f"/orders/{order_id}")}, "success")
    assert sent(sandbox) == [order_id]
    assert len([row for row in sandbox.journal() if row["event"] == "tokenized"]) == 1


def test_another_card_is_another_order(sandbox: Sandbox, shop: Checkout) -> None:
    """After a decline the basket goes on under a new id; the first order keeps its end."""
    first, _ = bought(shop, DECLINED)
    with customer(shop) as client:
        second = client.post(f"orders/{first}/again").headers["location"].rpartition("/")[2]
        pay(client, second)

        assert (stage(client, first), stage(client, second)) == ("declined", "success")
    assert sent(sandbox) == [first, second]


def test_what_is_paid_otherwise_is_taken_from_mitbatch_first(sandbox: Sandbox, shop: Checkout) -> None:
    """A row left to mitbatch is taken from it before another card is charged; a row that mitbatch holds is left alone."""
    orders = Orders(shop.orders_path)
    sandbox.faults.switch_on("too_many_requests", where="evaluate", times=2)
    free, held = bought(shop)[0], bought(shop)[0]
    statement = "UPDATE orders SET status = 'pending', hold_reference = 'mitbatch:x' WHERE order_id = ? AND retry_state IS NULL"
    assert orders._run(statement, held)
    with customer(shop) as client:
        ways = [client.post(f"orders/{each}/again").headers["location"].rpartition("/")[2] for each in (free, held)]

    assert (row_of(shop.orders_path, free)["status"], row_of(shop.orders_path, held)["status"]) == ("not_recovered", "pending")
    assert (ways[0] != free, ways[1] == held) == (True, True)


def test_what_a_look_finds_does_not_replace_the_answer(shop: Checkout) -> None:
    """A webhook may come while evaluate is under way: what a look finds stands until the answer, and never after it."""
    orders = Orders(shop.orders_path)
    for order_id, steps in (("first", ("found", "answer")), ("last", ("answer", "found"))):
        orders.place({"order_id": f"{order_id}-{shop.port}"})
        name = f"{order_id}-{shop.port}"
        assert orders.begin(name)
        assert orders.charged(name, "declined", {})
        for step in steps:
            orders.found(name, "key") if step == "found" else orders.handed_over(name, "key", "CHALLENGE")

        assert row_of(shop.orders_path, name)["provider_status"] == "CHALLENGE"
        assert not orders.left_to_mitbatch(name)


def test_by_night_nobody_looks_at_the_widget(sandbox: Sandbox, shop: Checkout) -> None:
    """What the advanced flow leaves to mitbatch goes without the widget's key, so that it is answered at once."""
    sandbox.faults.switch_on("too_many_requests", where="evaluate")
    order_id, shown = bought(shop, flow="advanced")

    assert (shown, row_of(shop.orders_path, order_id)["sense_key"]) == ("later", None)


@pytest.mark.parametrize("content", ["no database", None])
def test_orders_that_cannot_be_used_are_told_at_the_start(sandbox: Sandbox, tmp_path: Path, content: str | None) -> None:
    """A file that is no database, and a table without our columns, stop the shop from opening."""
    path = tmp_path / "orders.db"
    if content:
        path.write_text(content * 100)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE orders (id TEXT)")
    with pytest.raises(sqlite3.Error), Checkout(sandbox, path):
        pass


def test_a_webhook_alone_leads_to_a_read(sandbox: Sandbox, shop: Checkout) -> None:
    """The customer answers in the widget and closes the window: the webhook lets the shop ask, and the row is completed."""
    order_id, shown = bought(shop, flow="advanced")
    key = row_of(shop.orders_path, order_id)["provider_order_id"]
    with http(sandbox) as client:
        client.post(f"{sandbox.control_url}widget/{key}", data={"code": "999"})
    assert sandbox.webhooks.settle()
    told = {(row["webhook"], row["http_status"]) for row in sandbox.webhooks.deliveries()}

    assert (shown, row_of(shop.orders_path, order_id)["status"]) == ("widget", "completed")
    assert ("order.completed", 200) in told


def test_an_unsigned_webhook_is_not_believed(sandbox: Sandbox, shop: Checkout) -> None:
    """Without the right signature, or with one of another body, nobody is asked and the answer is 401."""
    order_id, _ = bought(shop, flow="advanced")
    assert sandbox.webhooks.settle()
    asked = len(sandbox.journal())
    body = f'{{"Event": "order.completed", "ExternalOrderId": "{order_id}"}}'
    signed = {"x-fc-nonce": "n", "x-fc-date": "Mon, 23 Nov 2026 06:30:00 GMT", "x-fc-authorization": "HMAC-SHA512 Signature=é"}
    with customer(shop) as client:
        raw = httpx.Headers([(name.encode(), value.encode()) for name, value in signed.items()])
        answers = [
            client.post("webhooks/flexfactor", content=body, headers=given).status_code for given in (httpx.Headers(), raw)
        ]

    assert (answers, len(sandbox.journal())) == ([401, 401], asked)


def test_only_test_cards_pass_and_none_is_kept(sandbox: Sandbox, shop: Checkout, caplog: pytest.LogCaptureFixture) -> None:
    """Another card is refused unsent and unrepeated; of a test card no file of shop or provider has number or code."""
    with customer(shop) as client:
        order_id = placed(client)
        refused = pay(client, order_id, STRANGER)
        spaced = pay(client, order_id, "4000 0027 6000-3184")
        page = client.get(f"orders/{order_id}").text
    kept = {path: path.read_bytes() for path in sandbox.folder.rglob("*") if path.is_file()}
    numbers = [number.encode() for number in (STRANGER, SUCCESS, FORM["cvv"])]
    orders = kept.pop(shop.orders_path)

    assert (refused.status_code, spaced.status_code) == (422, 303)
    assert STRANGER not in refused.text
    assert [path for path, content in kept.items() if numbers[0] in content or numbers[1] in content] == []
    assert [number for number in numbers[:2] if number in orders] == []
    assert SUCCESS not in page + caplog.text
    assert FORM["cvv"] not in str(row_of(shop.orders_path, order_id)).replace(order_id, "")
    assert len([row for row in sandbox.journal() if row["event"] == "tokenized"]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Ada"), ("email", "nobody"), ("month", "13"), ("year", "1999"), ("cvv", "x"), ("number", ""), ("phone", "9" * 99)],
)
def test_each_field_says_what_is_wrong(sandbox: Sandbox, shop: Checkout, field: str, value: str) -> None:
    """A field that cannot be taken is named where it stands, nothing is charged, and the order can still be paid."""
    with customer(shop) as client:
        order_id = placed(client)
        number = value if field == "number" else SUCCESS
        refused = pay(client, order_id, number, **({field: value} if field != "number" else {}))

        assert (refused.status_code, stage(client, order_id)) == (422, "form")
    assert re.findall(r'id="([a-z]+)-error"', refused.text) == [field]
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("status", "document", "proof"),
    [
        (200, {"success": True, "orderSessionKey": "k", "status": "approved"}, "taken"),
        (200, {"success": False, "orderSessionKey": "k", "status": "APPROVED"}, "unknown"),
        (200, {"success": True, "status": "APPROVED"}, "unknown"),
        (200, {"success": True, "orderSessionKey": "k"}, "unknown"),
        (200, {}, "unknown"),
        (302, {}, "unknown"),
        (400, {"OrderId": ["required"]}, "refused"),
        (400, {}, "unknown"),
        (401, {}, "nothing_sent"),
        (403, {}, "nothing_sent"),
        (409, {}, "unknown"),
        (429, {}, "nothing_sent"),
        (500, {}, "unknown"),
        (504, {}, "unknown"),
    ],
)
def test_what_an_answer_proves(status: int, document: dict[str, object], proof: str) -> None:
    """Only what is plain counts as taken, refused or not sent; everything else is unknown, and holds the row."""
    assert proved(status, document).proof == proof


def test_its_table_is_the_one_that_mitbatch_reads() -> None:
    """The shop's columns are those of the orders table, so that both can work on one row."""
    assert set(COLUMNS) == {*READ_COLUMNS, *OPTIONAL_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN}
    assert set(COLUMNS) >= INTEGER_COLUMNS


def test_only_its_own_pages_may_send_forms(sandbox: Sandbox, shop: Checkout) -> None:
    """A form from another site, a foreign Host, a body without end, and an order that is not there: refused, nothing done."""
    with customer(shop) as client:
        order_id = placed(client)
        foreign = client.post(f"orders/{order_id}/pay", data=FORM, headers={"Origin": "https://attacker.example"})
        by_name = client.get("", headers={"Host": "shop.attacker.example"})
        endless = client.post("orders", content=b"x" * 20_000)
        missing = [client.get("orders/no"), client.post("orders/no/pay", data=FORM), client.get("static/none.css")]
        broken = client.post(f"orders/{order_id}/pay", content=b"\xff\xfe=%00")
        lost = client.post("orders/no/again")

    assert (foreign.status_code, by_name.status_code, endless.status_code) == (403, 403, 413)
    assert [answer.status_code for answer in missing] == [404, 404, 404]
    assert (broken.status_code, lost.status_code, sandbox.journal()) == (422, 303, [])


def test_nothing_comes_from_elsewhere(shop: Checkout) -> None:
    """The policy lets in the shop's own style and script and the widget's frame, and no page has a script of its own."""
    with customer(shop) as client:
        order_id = placed(client)
        pages = [client.get(path) for path in ("", f"orders/{order_id}")]
        parts = [client.get(f"static/{name}") for name in ("shop.css", "shop.js")]

    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert f"frame-src {shop.shop.widget_origin};" in policy
        assert re.findall(r"<script[^>]*>", page.text) == ['<script src="/static/shop.js" defer>']
        assert "http" not in page.text.replace(shop.shop.widget_url, "")
    assert [part.status_code for part in parts] == [200, 200]
    assert "http" not in parts[0].text + parts[1].text


def test_a_secret_is_not_shown(shop: Checkout) -> None:
    """What stands for the shop in a message has none of its secrets."""
    shown = repr(shop.shop)
    found: Shop = shop.shop

    assert [
        secret for secret in (found.app_key, found.app_secret, found.tokenization_key, found.subscriber_key) if secret in shown
    ] == []


def test_a_taken_port_is_refused(sandbox: Sandbox, shop: Checkout) -> None:
    """A second shop on the same port does not start."""
    with pytest.raises(OSError, match="in use"), Checkout(sandbox, port=shop.port):
        pass


def test_one_slow_answer_holds_up_nobody_else(sandbox: Sandbox, shop: Checkout) -> None:
    """While the answer to one evaluate does not come, another customer pays; the first is looked up, and not sent again."""
    with (
        Checkout(sandbox, shop.orders_path, answer_seconds=2) as patient,
        ThreadPoolExecutor(1) as pool,
        customer(patient) as client,
    ):
        sandbox.faults.switch_on("silence_after", where="evaluate")
        waiting = pool.submit(bought, patient)
        while not sent(sandbox):
            assert client.get("").status_code == 200
        second = placed(client)
        pay(client, second)

        assert (stage(client, second), waiting.done()) == ("success", False)
        first, shown = waiting.result(60)
        assert (shown, sent(sandbox)) == ("success", [first, second])
