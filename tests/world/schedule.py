"""What a seed lets happen: a short list of deeds, which is all that is needed to let it happen again."""

import json
import random
from dataclasses import asdict, dataclass
from typing import Literal

from tests.world.dice import dice

Kind = Literal["crash", "power cut", "fault", "network", "engine", "disk full", "second run", "leap", "merchant"]

SFTP_FAULTS = (
    "refuse_connection refuse_login too_many_sessions other_host_key weak_algorithms refuse_write refuse_list refuse_remove"
    " disk_full short_write drop_connection_halfway drop_after_close append_instead_of_truncate size_missing wrong_size"
    " stall stall_after refuse_rename name_taken failure_after_rename rename_unsupported copied_rename take_file_at_once"
    " drop_before_rename drop_after_rename reset_line half_closed stale_list partial_list unordered_list hostile_names"
    " vanished_file other_host_view"
).split()
HTTP_FAULTS = (
    "unauthorized_once server_error_before server_error_after not_found token_refused reset_connection html_answer"
    " empty_answer unknown_status other_order_answer malformed_json truncated_json not_utf8_json duplicate_key_json"
    " failure_in_200 too_many_requests bad_gateway gateway_timeout service_unavailable forbidden next_page_wrong page_repeats"
    " page_skips not_found_yet"
).split()
FILE_FAULTS = (
    "refuse_row refuse_file no_acknowledgement partial_acknowledgement missing_rows duplicate_rows contradictory_rows"
    " repeated_file same_content_other_name other_mid utf16_file nul_bytes crlf_lines empty_file unknown_orders late_file"
    " growing_file folder_instead_of_file cut_inside_character byte_order_mark deep_json_file"
).split()


FAULTS = (SFTP_FAULTS, HTTP_FAULTS, FILE_FAULTS)
KINDS: tuple[Kind, ...] = (
    "crash",
    "power cut",
    "fault",
    "fault",
    "network",
    "engine",
    "disk full",
    "second run",
    "leap",
    "merchant",
)


@dataclass(frozen=True)
class Deed:
    """One thing that goes wrong in the `run`-th run (from 0): at its `at`-th point, or by a fault's name at its n-th chance."""

    kind: Kind
    run: int
    at: int = 0
    name: str = ""


@dataclass(frozen=True)
class Schedule:
    """A whole story: the world's seed, how many orders, and the deeds. As JSON it is what a corpus keeps."""

    seed: int
    orders: int
    deeds: tuple[Deed, ...]

    def as_json(self) -> str:
        """One line."""
        return json.dumps({"seed": self.seed, "orders": self.orders, "deeds": [asdict(deed) for deed in self.deeds]})


def from_json(text: str) -> Schedule:
    """The schedule that `as_json` wrote."""
    fields = json.loads(text)
    return Schedule(fields["seed"], fields["orders"], tuple(Deed(**each) for each in fields["deeds"]))


def schedule_of(seed: int) -> Schedule:
    """What the seed decides: mostly one to three deeds, of a random few kinds."""
    chance = dice(seed, "schedule")
    kinds = chance.sample(KINDS, 4)
    count = chance.choice((0, 1, 1, 2, 2, 2, 3, 3, 4, 6))
    deeds = tuple(_deed(chance, chance.choice(kinds)) for _ in range(count))
    return Schedule(seed, chance.choice((1, 2, 2, 3, 4)), deeds)


def _deed(chance: random.Random, kind: Kind) -> Deed:
    run, at = chance.choice((0, 0, 0, 1, 1, 2, 3)), chance.randrange(1, 180)
    if kind == "fault":
        chances = chance.choice((0, 0, 0, 1, 2, 5))
        return Deed(kind, run, chances, chance.choice(chance.choice(FAULTS)))
    if kind == "network":
        return Deed(kind, run, chance.randrange(4), chance.choice(("before", "after")))
    if kind == "leap":
        return Deed(kind, run, at, str(chance.choice((-86400, -3600, 1000, 3600, 7200, 90000))))
    if kind == "merchant":
        return Deed(kind, run, at, chance.choice(("paid", "cancelled", "amount", "gone")))
    return Deed(kind, run, at)
