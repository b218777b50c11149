"""Months of an invented merchant's nights in a real ledger, written in bulk: the same seed gives the same rows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, create_engine, insert

from batch.books import canonical_detail
from schemas.ledger_tables import batch, comparison, comparison_row, decision, event, figure, item, metadata, run, submission
from tests.audit.ledger_builder import CELLS, MID

_SITES = {"acme-us": "USD", "acme-eu": "EUR", "acme-jp": "JPY"}
_CODES = {
    "05": ("do_not_honor", 0.16),
    "51": ("insufficient_funds", 0.34),
    "61": ("limit", 0.28),
    "54": ("expired_card", 0.05),
    "65": ("limit", 0.22),
    "91": ("issuer_away", 0.45),
}
_SKIPS = {
    "too_old": ("", 5),
    "missing_token": ("", 4),
    "network_never_retry": ("visa-category1-14", 3),
    "network_limit": ("visa-limit-15-kept", 2),
    "network_wait": ("mastercard-advice-25", 2),
}


@dataclass
class Months:
    """Nights from `first` on, `nights` of them, with `orders` candidates each; only the first `until` are stored."""

    path: Path
    seed: int = 1
    first: date = date(2026, 9, 5)
    nights: int = 80
    orders: int = 40
    hostile: str = ""
    until: int | None = None
    sites: dict[str, str] = field(default_factory=lambda: dict(_SITES))

    def __post_init__(self) -> None:
        self.engine = create_engine(f"sqlite:///{self.path}")
        metadata.create_all(self.engine)
        self._random = Random(self.seed)  # noqa: S311 - an invented merchant's luck
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self.last = (self.first + timedelta(days=self.nights - 1)).isoformat()
        for night in range(self.nights):
            self._night(self.first + timedelta(days=night), night)
            if night % 10 == 9:
                self._store()
        self._store()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A read connection, as the ledger lends it."""
        with self.engine.connect() as connection:
            yield connection

    def _store(self) -> None:
        with self.engine.begin() as connection:
            for table, rows in self._rows.items():
                connection.execute(insert(table), rows)
        self._rows = {}

    def _add(self, table: Table, **values: Any) -> None:  # noqa: ANN401 - cells of any table
        day = values.get("business_date") or values.get("opened_date") or ""
        if self._is_later(day):
            return
        self._rows.setdefault(table, []).append({"mid": MID, **values})

    def _event(self, subject: str, seq: int, day: date, hour: int, old: str, new: str, **more: Any) -> None:  # noqa: ANN401
        detail = canonical_detail(more.pop("detail", {}))
        facts = {"kind": "transition", "source": "outcome", "reason": "as the provider says", "evidence_id": None, **more}
        self._add(
            event,
            subject=subject,
            seq=seq,
            at=f"{day}T{hour:02d}:00:00Z",
            business_date=str(day),
            run_id="r",
            from_state=old or None,
            to_state=new,
            detail=detail,
            previous_hash="-",
            hash="-",
            **facts,
        )

    def _night(self, day: date, night: int) -> None:
        chance, batch_id = self._random, f"b{night:011d}"
        code = 10 if chance.random() < 0.15 else 20 if chance.random() < 0.04 else 0
        times = {"started_at": f"{day}T06:30:00Z", "finished_at": f"{day}T06:{31 + night % 20}:44Z", "exit_code": code}
        self._add(run, run_id=f"run{night}", job="nightly", business_date=str(day), fencing_token=night, **times)
        file = {"kind": "evaluate", "file_name": f"evaluate_{day}_{batch_id}.json", "format": "json", "row_count": self.orders}
        times = {"step": "acknowledged", "expires_at": f"{day + timedelta(days=21)}T06:30:00Z", "event_date": str(day)}
        self._add(
            batch, batch_id=batch_id, business_date=str(day), run_id=f"run{night}", event_seq=1, event_hash="-", **file, **times
        )
        for seq, (old, new) in enumerate(
            (("", "claimed"), ("claimed", "sending"), ("sending", "delivered"), ("delivered", "acknowledged"))
        ):
            sized = {"detail": {"file_name": file["file_name"], "size": 1000 * (night + 1)}} if new == "sending" else {}
            self._event(f"batch:{batch_id}", seq + 1, day, 6 + seq, old, new, kind="step", source="send", **sized)
        for operation, answer, calls in (("token", "2xx", 1), ("read", "2xx", 40 + night), ("read", "5xx", night % 5)):
            labels = json.dumps([operation, answer])
            self._add(figure, business_date=str(day), name="mitbatch_api_requests", labels=labels, value=calls)
        if night % 3 == 0 and self.orders:
            self._compare(day, night)
        for number in range(self.orders):
            self._order(day, f"{night:03d}{number:05d}", batch_id, number)
        if night % 6 == 0:
            times = {"opened_at": f"{day}T06:35:00Z", "opened_date": str(day), "due_date": str(day + timedelta(days=3))}
            words = f"completed and declined {self.hostile}"
            facts = {
                "kind": "contradiction",
                "subject": f"order:{night:03d}00000",
                "explanation": words,
                "opened_run": f"run{night}",
            }
            closed = {} if night % 18 == 0 else {"closed_at": f"{day}T20:00:00Z", "closed_date": str(day), "resolution": "accept"}
            self._add(
                item,
                item_id=f"item{night}",
                closed_at=None,
                closed_date=None,
                resolution=None,
                **facts,
                **times,
                **closed,
            ) if not closed else self._add(item, item_id=f"item{night}", **facts, **times, **closed)

    def _compare(self, day: date, night: int) -> None:
        differ = night % 4
        sealed = {"step": "done", "rows_digest": "-", "event_seq": 1, "event_hash": "-", "event_date": str(day)}
        facts = {"compared_at": f"{day}T12:00:00Z", "is_whole": 1, "is_settled": 0, "orders": 50, "row_count": differ + 1}
        self._add(comparison, comparison_id=f"c{night:02d}", business_date=str(day), **facts, **sealed)
        for number in range(differ + 1):
            match = ("equal", "amount_differs", "missing_at_provider", "state_differs")[number]
            shown = {"ledger_state": "pending", "provider_status": "", "orders_status": "pending", "explanation": "as it is"}
            key = {"comparison_id": f"c{night:02d}", "number": number, "order_id": str(number)}
            self._add(
                comparison_row, **key, site="acme-us", currency="USD", amount_minor=500, match=match,
                difference_minor=-number, first_seen_date=str(day - timedelta(days=number)),
                is_settlement=0, **shown,
            )  # fmt: skip

    def _order(self, day: date, order_id: str, batch_id: str, number: int) -> None:
        chance = self._random
        site = chance.choice(list(self.sites))
        currency, amount = self.sites[site], chance.randrange(500, 20000)
        brand = chance.choice(("visa", "visa", "mastercard", "amex"))
        code = chance.choice(list(_CODES))
        group, luck = _CODES[code]
        cells = {
            **CELLS,
            "card_brand": brand,
            "response_code": code,
            "decline_group": group,
            "attempts_30d": str(chance.randrange(0, 14)),
        }
        facts: dict[str, Any] = {"site": site + self.hostile, "currency": currency, "amount_minor": amount}
        skip = chance.choices([*_SKIPS, ""], [weight for _, weight in _SKIPS.values()] + [100])[0]
        told = {
            "decision": "skipped" if skip else "selected",
            "reason": skip or "selected",
            "reason_text": f"as it is {self.hostile}",
        }
        rule = _SKIPS[skip][0] if skip else ""
        self._add(
            decision, business_date=str(day), order_id=order_id, rule_id=rule, batch_id="", run_id="r",
            decided_at=f"{day}T06:30:00Z", cells_json=canonical_detail(cells), **facts, **told,
        )  # fmt: skip
        if skip:
            return
        moves = self._fate(day, amount, luck)
        key = {"batch_id": batch_id, "sequence_number": number, "idempotency_key": order_id, "hold_reference": f"h{order_id}"}
        times = {
            "business_date": str(day),
            "claimed_at": f"{day}T06:30:00Z",
            "expires_at": f"{day + timedelta(days=21)}T06:30:00Z",
        }
        state = moves[-1][1] if moves else "pending"
        self._add(
            submission, order_id=order_id, attempt=1, state=state, channel="sftp",
            origin=chance.choice(("recurring", "recurring", "website")), record_json="{}", event_seq=1, event_hash="-",
            event_date=str(day), handed_over_date=str(day), **facts, **key, **times,
        )  # fmt: skip
        subject, path = f"order:{order_id}", ("", "claimed", "held", "sending", "pending")
        for seq in range(1, 5):
            self._event(subject, seq, day, 6, path[seq - 1], path[seq], detail={"attempt": 1})
        before = "pending"
        for seq, (when, new, detail) in enumerate(moves, start=5):
            self._event(subject, seq, when, 7, before, new, detail={"attempt": 1, **detail})
            before = new

    def _fate(self, day: date, amount: int, luck: float) -> list[tuple[date, str, dict[str, int]]]:
        chance, end = self._random, self.first + timedelta(days=self.nights - 1)
        if chance.random() < luck:
            when = day + timedelta(days=min(20, int(chance.expovariate(1 / 4))))
            moves: list[tuple[date, str, dict[str, int]]] = [(when, "completed", {"recovered_minor": amount})]
            later = chance.random()
            if later < 0.05:
                moves.append(
                    (when + timedelta(days=chance.randrange(2, 30)), "partially_refunded", {"refunded_minor": amount // 3})
                )
            elif later < 0.08:
                moves.append((when + timedelta(days=chance.randrange(2, 30)), "refunded", {}))
            elif later < 0.09:
                moves.append((when + timedelta(days=chance.randrange(5, 40)), "chargeback", {}))
        elif chance.random() < 0.6:
            moves = [(day + timedelta(days=chance.randrange(1, 20)), "declined", {})]
        else:
            moves = [(day + timedelta(days=21), "expired", {})]
        return [move for move in moves if move[0] <= end and not self._is_later(str(move[0]))]

    def _is_later(self, day: str) -> bool:
        return self.until is not None and day >= (self.first + timedelta(days=self.until)).isoformat()
