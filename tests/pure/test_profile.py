"""The provider's unpublished names are data: read whole, in any case, and refused by the key's name when malformed."""

import pytest

from schemas.errors import ConfigurationError
from schemas.order import Origin
from schemas.profile import Meaning, parse_profile
from tests.pure.samples import packaged, profile

PACKAGED = packaged("profiles/flexfactor.toml")


def test_the_packaged_profile_is_read() -> None:
    """The names of CONTRACT 6.4 stand where the code looks for them."""
    read = profile()

    assert read.files.part_suffix == ".part"
    assert (read.evaluate.json.header, read.evaluate.json.rows) == ("configuration", "transactionRequests")
    assert (read.transmit.json.token, read.transmit.json.expiry) == ("Authorization", "")
    assert read.orders.external_ids == ("externalOrderId", "referenceNumber")
    assert read.order_sources[Origin.CALL_CENTER] == "call_center"
    assert read.acknowledgement.row.order_session_key == read.outcomes.row.order_session_key == "orderSessionKey"


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("SUBMITTED", Meaning.PENDING),
        ("Order Completed", Meaning.COMPLETED),
        (" approved ", Meaning.COMPLETED),
        ("CAPTUREREQUIRED", Meaning.CAPTURE_REQUIRED),
        ("Cancelled", Meaning.NOT_RECOVERED),
        ("EXPIRED", Meaning.EXPIRED),
        ("NotFound", Meaning.NOT_FOUND),
        ("canceled", None),
        ("", None),
        ("aproved", None),
    ],
)
def test_a_status_word_means_what_the_profile_says(word: str, meaning: Meaning | None) -> None:
    """Words are known in any case; an unknown word means nothing."""
    assert profile().meaning(word) is meaning


def test_status_codes_are_known_up_to_seven() -> None:
    """Codes 0 to 7 have a meaning, others have none."""
    known = [profile().code_meaning(code) for code in range(-1, 9)]

    assert known[0] is None
    assert known[-1] is None
    assert all(known[1:-1])
    assert profile().code_meaning(7) is Meaning.COMPLETED


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[files]", "[files", "not TOML"),
        ('part_suffix = ".part"', "", "files.part_suffix"),
        ('part_suffix = ".part"', 'part_suffix = ""', "files.part_suffix"),
        ('part_suffix = ".part"', 'part_suffix = "/../x"', "files.part_suffix"),
        ('evaluate_prefix = "evaluate"', 'evaluate_prefix = "../x"', "files.evaluate_prefix"),
        ('evaluate_prefix = "evaluate"', 'evaluate_prefix = "-rf"', "files.evaluate_prefix"),
        ("_{batch_id}.{ext}", ".{ext}", "files.name"),
        ("{batch_id}.{ext}", "{batch_id}.{ext}.{attempt}", "files.name"),
        ("{batch_id}.{ext}", "{batch_id}/{ext}", "files.name"),
        ("{kind}_{mid8}_", "{mid8}_{kind}_", "files.name"),
        ("max_rows = 2000", "max_rows = 2001", "files.max_rows"),
        ("max_rows = 2000", "max_rows = true", "files.max_rows"),
        ("max_rows = 2000", 'max_rows = "2000"', "files.max_rows"),
        ('expiry = "expiryDateUtc"\nrows', "rows", "evaluate.json"),
        ('header = "header"', 'header = "transactions"', "transmit.json"),
        ('token = "authorization"', 'token = "mid"', "csv"),
        ('true = "true"', 'ture = "true"', "csv"),
        ('external_ids = ["externalOrderId", "referenceNumber"]', "external_ids = []", "orders.external_ids"),
        ('sandbox = "https', 'sandbox = "http', "hosts.sandbox"),
        ('flexfactor.io/v1/"\nproduction', 'flexfactor.io/v1"\nproduction', "hosts.sandbox"),
        ('website = "ecommerce"', "", "order_sources.*website is missing"),
        ('website = "ecommerce"', 'webshop = "ecommerce"', "order_sources.webshop"),
        ('draft = "pending"', 'Draft = "pending"', "statuses.*'Draft'"),
        ('draft = "pending"', 'draft = "done"', "statuses.draft"),
        ('0 = "pending" ', 'zero = "pending" ', "status_codes.zero"),
        ('sale = "capture"', 'Sale = "capture"', "settlement.kinds.*'Sale'"),
        ('sale = "capture"', '"sale " = "capture"', "settlement.kinds.*'sale '"),
        ("[hosts]", "[surprise]\na = 1\n[hosts]", "surprise"),
    ],
)
def test_a_malformed_profile_names_its_key(before: str, after: str, words: str) -> None:
    """Whoever edits the profile is told where it is wrong, in one sentence."""
    assert before in PACKAGED
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_profile(PACKAGED.replace(before, after, 1))

    assert "\n" not in str(caught.value)


def test_a_profile_is_frozen() -> None:
    """Nobody changes a name on the way."""
    with pytest.raises(AttributeError):
        profile().csv.mid = "other"  # type: ignore[misc]
