"""Ids of the provider's that are card numbers: kept nowhere but in the raw evidence, believed of nothing, never called twice."""

import json
from collections import Counter

import pytest
from pytest_mock import MockerFixture

from batch.api import ProviderApi
from batch.ledger.webhook_inbox import store_webhooks
from jobs.sandbox.credentials import Account
from schemas.errors import DecisionRefused, ExitCode
from tests.night.house import ONHOLD, House, order, paid
from tests.night.test_review import decide
from tests.webhooks.keeping import arrival, keep, ledger_of, verdicts
from tests.webhooks.signing import payload

PAN, OTHER = "4111111111111111", "5555555555554444"
RAW = {("evidence", "content"), ("webhook", "content")}
"""Where what was received stands untouched."""

BY_FILE, BY_CALL = {"evaluate": "sftp", "transmit": "sftp"}, {"evaluate": "api", "transmit": "api"}


@pytest.fixture
def carded(house: House, mocker: MockerFixture) -> House:
    """A house whose provider gives card numbers for ids."""
    ids: dict[str, str] = {}

    def made(_: Account, order_id: str, _n: int) -> str:
        return ids.setdefault(order_id, (PAN, OTHER)[len(ids)])

    mocker.patch.object(Account, "order_session_key", made)
    mocker.patch.object(Account, "transmit_id", made)
    return house


def traces(house: House) -> list[str]:
    """Where one of the numbers stands on the merchant's side: in any table, any file, any name, but for the raw evidence."""
    found = []
    for table in (row["name"] for row in house.ledger("SELECT name FROM sqlite_master WHERE type='table'")):
        for row in house.ledger(f'SELECT * FROM "{table}"'):
            found += [
                f"{table}.{name}"
                for name, value in row.items()
                if (table, name) not in RAW and any(number in str(value) for number in (PAN, OTHER))
            ]
    files = {name: content for name, content in house.files().items() if "ledger.db" not in name}
    return found + [name for name, content in files.items() if any(n.encode() in name.encode() + content for n in (PAN, OTHER))]


@pytest.mark.parametrize("channels", [BY_FILE, BY_CALL], ids=["file", "call"])
def test_an_order_with_such_an_id_is_held_in_doubt(carded: House, channels: dict[str, str]) -> None:
    """Answers, acknowledgements and listings that name it so cannot be read: held, told, sent once, and no person releases it."""
    carded.set(channels=channels)
    carded.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    carded.run()
    for _ in range(2):
        carded.pass_time(hours=2)
        assert carded.run().code == ExitCode.IN_DOUBT
        assert carded.run("poll").code == ExitCode.IN_DOUBT
    assert carded.states() == {"a": "in_doubt", "b": "in_doubt"}
    assert carded.accepted() == Counter(["a", "b"])
    assert not carded.retry_takes("a")
    assert ("quarantine", "order:a") in carded.items()
    assert traces(carded) == []
    with pytest.raises(DecisionRefused, match="cannot be asked"):
        decide(carded, "order:a", "support-confirmed-no-rescue")


@pytest.mark.parametrize("channels", [BY_FILE, BY_CALL], ids=["file", "call"])
def test_a_copy_with_such_an_id_is_sent_once(carded: House, channels: dict[str, str]) -> None:
    """A transmitId that is a card number is written down nowhere, and the copy is not sent again."""
    carded.set(channels=channels)
    carded.add(paid("p"))
    carded.run("transmit")
    carded.pass_time(hours=2)
    carded.run("transmit")
    assert carded.accepted("transmit") == Counter(["p"])
    assert [row["transmit_id"] for row in carded.audit("transmissions")] == [""]
    assert carded.items()
    assert traces(carded) == []


def test_news_with_such_an_id_is_set_aside(house: House) -> None:
    """Webhooks and outcomes files that name an order so move nothing, are told, and leave no trace; their neighbours count."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.run()
    keep(house, payload("order.completed", ExternalOrderId="a", OrderId=PAN), payload("order.expired", OrderId=OTHER))
    rows = [{"orderId": "a", "orderSessionKey": PAN, "status": "COMPLETED"}, {"orderId": "b", "status": PAN}]
    house.put_outbound("outcomes_1.json", {"mid": house.sandbox.mid, "outcomes": rows})
    house.put_outbound("outcomes_2.csv", f"mid,status,orderId,orderSessionKey\n{house.sandbox.mid},EXPIRED,a,{PAN}\n".encode())
    house.put_outbound(f"outcomes_{PAN}.json", {"mid": house.sandbox.mid, "outcomes": [{"orderId": "a", "status": "EXPIRED"}]})
    with ledger_of(house) as ledger:
        body = payload("order.completed", ExternalOrderId="a")
        assert store_webhooks(ledger, [arrival(body, house.clock.now(), PAN)] * 2) == [True, False]
    for _ in range(2):
        house.pass_time(minutes=1)
        house.run("poll")
    assert house.states() == {"a": "pending", "b": "pending"}
    assert [verdict for verdict, _ in verdicts(house)][:2] == ["set_aside", "set_aside"]
    told = Counter(kind for kind, _ in house.items())
    assert told["quarantine"] >= 5
    assert traces(house) == []


@pytest.mark.parametrize("said", [{"status": int(PAN), "statusName": None}, {"amount": int(PAN)}, {"id": PAN}])
def test_a_read_with_such_a_figure_is_set_aside(house: House, mocker: MockerFixture, said: dict[str, object]) -> None:
    """A status code, an amount or an id that is a card number: the read says nothing, and the order stays as it is."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    real = ProviderApi._get

    async def get(self: ProviderApi, path: str, *more: object) -> tuple[int, bytes]:
        status, content = await real(self, path, *more)  # type: ignore[arg-type]
        return status, json.dumps(json.loads(content) | said).encode()

    mocker.patch.object(ProviderApi, "_get", get)
    house.pass_time(hours=8)
    house.run("poll")
    assert house.state("a") == "pending"
    assert house.items() == [("quarantine", "order:a")]
    assert traces(house) == []
