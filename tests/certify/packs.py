"""What a run might have shown, for tests of the pack: every item, with evidence of every kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.certify.compared import newest
from jobs.certify.pack import Head, Past, pack
from schemas.certification import CHECKLIST, Evidence, Exchange, PassedFile, Proof, Shown, Verdict

MID = "5f2b6c1e-0000-4000-8000-000000000001"
MOMENT = datetime(2026, 11, 28, 2, 0, 0, tzinfo=UTC)
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def head(run: str = "cert-1", *, at: datetime = MOMENT, version: str = "0.1.0", asked: tuple[str, ...] = ()) -> Head:
    """The facts of a run that took 48 seconds."""
    return Head(
        run_id=run,
        environment="sandbox",
        mid=MID,
        versions={"mitbatch": version, "python": "3.11.7", "profile": "flexfactor"},
        provider="https://api-sandbox.flexfactor.io/v1/",
        orders_lay="In a scratch table cert_7 beside orders, made and dropped with orders.admin_url.",
        started_at=at,
        ended_at=at + timedelta(seconds=48),
        made_at=at + timedelta(seconds=48),
        seconds=48,
        asked=asked,
    )


def evidence(run: str = "1") -> Evidence:
    """Evidence with something of every kind."""
    order = f"cert-{run}-3"
    return Evidence(
        orders=(order,),
        before={f"order {order}": "status declined, retry free", "provider": "unknown"},
        after={f"order {order}": "status pending_recovery, retry blocked", "provider": "SUBMITTED"},
        exchanges=(
            Exchange(MOMENT, "POST", "/v1/oauth2/token", "grant_type client_credentials", 200, '{"expiresIn": 3600}'),
            Exchange(
                MOMENT,
                "POST",
                "/v1/tokenize",
                '{"mid": "5f2b6c1e"}',
                200,
                '{"transaction": {"succeeded": true, "cardType": "visa"}}',
            ),
        ),
        files=(
            PassedFile("to the provider", "evaluate_5f2b6c1e_20261128_0a1b2c3d4e5f.json", 1874, SHA),
            PassedFile("from the provider", "evaluate_5f2b6c1e_20261128_0a1b2c3d4e5f_response.json", 512, SHA[::-1]),
        ),
    )


def everything(**verdicts: Verdict) -> list[Shown]:
    """Every item that a run can show as passed, attested ones open; others by id with `__` for a dot."""
    wanted = {name.replace("__", "."): verdict for name, verdict in verdicts.items()}
    found = []
    for item in CHECKLIST:
        if item.proof is Proof.SETTINGS:
            continue
        usual = Verdict.OPEN if item.proof is Proof.ATTESTATION else Verdict.PASSED
        verdict = wanted.get(item.id, wanted.get(item.group, usual))
        found.append(shown(item.id, verdict))
    return found


def shown(item: str, verdict: Verdict) -> Shown:
    """One item with this verdict, and words that fit it."""
    seen, change = {
        Verdict.PASSED: ("Our row and the provider's answer agree: both were seen before and after.", ""),
        Verdict.FAILED: (
            "The acknowledgement answered result: failed for 1 of 3 rows (billingInformation.zipcode is missing).",
            "Fill the column that orders.columns maps to billing_zip.",
        ),
        Verdict.OPEN: ("Only a page of yours can show this.", ""),
        Verdict.ATTESTED: ("", ""),
        Verdict.NOT_APPLICABLE: ("There is no section [certify.sync], so there is no account to run this with.", ""),
    }[verdict]
    has_evidence = verdict in {Verdict.PASSED, Verdict.FAILED}
    return Shown(item, verdict, seen, change, MOMENT if has_evidence else None, evidence() if has_evidence else Evidence())


def first_and_second() -> dict[str, Any]:
    """A second pack: something is better, something worse, and a group has no account."""
    first = pack(head(), everything(refund__answer=Verdict.FAILED, mit__api=Verdict.NOT_APPLICABLE), Past({}))
    later = everything(mit__sftp__transmit=Verdict.FAILED, mit__api=Verdict.NOT_APPLICABLE)
    past = Past(newest([first]), first["generated_at"])
    return pack(head("cert-2", at=MOMENT + timedelta(days=1), version="0.2.0"), later, past)
