"""The oracle: each invariant in functions of its own, judged from the outside records.

It reads the provider's journal, the merchant's charge log, the order rows, finance's files, the exit codes, and what the
world saw leave; the ledger only to compare it with them. Every function returns sentences that begin with its id. What
takes more runs than the story has (I10, I15) is judged for a share of the seeds; ELSEWHERE says what else is checked, and
where.
"""

from collections.abc import Callable, Iterator

from tests.world.oracle_actions import (
    i2_asked_once,
    i2_refund_once,
    i3_never_above,
    i5_rows_show_refunds,
    i6_cancel_races_are_told,
    i7_cancelled_was_asked_for,
    i13_stopped_rows_are_free,
)
from tests.world.oracle_answers import (
    i3_files_and_reports,
    i3_live_mode,
    i3_never_too_early,
    i3_no_false_completion,
    i6_edges,
    i7_evidence,
    i16_unknown_words,
)
from tests.world.oracle_apart import POISON_EVERY, RERUN_EVERY, i15_poison_isolated, is_due
from tests.world.oracle_books import (
    i5_books_close,
    i5_files_complete,
    i5_one_state,
    i5_provider_agrees,
    i5_rows_agree,
    i17_exact,
    i19_chain,
    i19_manifests,
)
from tests.world.oracle_calls import i4_calls, i12_calls_have_proof, i14_calls, i25_calls
from tests.world.oracle_codes import i20_counts, i20_honest_codes
from tests.world.oracle_comparison import COMPARED_EVERY, i5_comparison_names_each
from tests.world.oracle_decisions import i7_decided_by_somebody, i12_nobody_overrules
from tests.world.oracle_doors import (
    i18_no_leak,
    i18_nothing_personal,
    i21_environment,
    i21_other_accounts,
    i23_no_unasked_word,
    i24_confinement,
)
from tests.world.oracle_evidence import Evidence, evidence_of
from tests.world.oracle_hearing import i7_files_say_so, i7_the_older_call_says_so
from tests.world.oracle_holding import (
    i1_hold,
    i13_liveness,
    i13_nothing_silent,
    i14_exactly_the_refused,
    i14_releases,
    i14_unfit_rows_stay,
)
from tests.world.oracle_modes import i12_one_channel_per_order, i21_one_mode
from tests.world.oracle_present import i17_present
from tests.world.oracle_rerun import i10_rerun_changes_nothing
from tests.world.oracle_review import i5_review_complete
from tests.world.oracle_sending import (
    i2_older_ledger_is_refused,
    i2_one_payload,
    i2_send_once,
    i4_write_ahead,
    i11_no_stale_send,
    i11_one_writer,
    i12_one_file_per_order,
    i12_repeats_have_proof,
    i25_stop,
    i25_switched_off,
)
from tests.world.oracle_switches import i25_by_hand
from tests.world.oracle_webhooks import i21_test_mode, i23_each_once, i23_only_the_signed, i23_webhook_is_a_hint
from tests.world.oracle_words import i7_words_fit, i12_only_whole_files
from tests.world.story import Story

Judge = Callable[[Evidence], Iterator[str]]

INVARIANTS: dict[str, tuple[Judge, ...]] = {
    "I1": (i1_hold,),
    "I2": (i2_send_once, i2_one_payload, i2_refund_once, i2_asked_once, i2_older_ledger_is_refused),
    "I3": (i3_no_false_completion, i3_never_above, i3_never_too_early, i3_files_and_reports, i3_live_mode),
    "I4": (i4_write_ahead, i4_calls),
    "I5": (
        i5_one_state,
        i5_rows_show_refunds,
        i5_provider_agrees,
        i5_rows_agree,
        i5_books_close,
        i5_files_complete,
        i5_review_complete,
    ),
    "I6": (i6_edges, i6_cancel_races_are_told),
    "I7": (
        i7_evidence,
        i7_cancelled_was_asked_for,
        i7_words_fit,
        i7_files_say_so,
        i7_the_older_call_says_so,
        i7_decided_by_somebody,
    ),
    "I11": (i11_one_writer, i11_no_stale_send),
    "I12": (
        i12_calls_have_proof,
        i12_repeats_have_proof,
        i12_one_file_per_order,
        i12_one_channel_per_order,
        i12_only_whole_files,
        i12_nobody_overrules,
    ),
    "I13": (i13_liveness, i13_nothing_silent, i13_stopped_rows_are_free),
    "I14": (i14_calls, i14_releases, i14_exactly_the_refused, i14_unfit_rows_stay),
    "I16": (i16_unknown_words,),
    "I17": (i17_exact, i17_present),
    "I18": (i18_no_leak, i18_nothing_personal),
    "I19": (i19_chain, i19_manifests),
    "I20": (i20_honest_codes, i20_counts),
    "I21": (i21_environment, i21_other_accounts, i21_one_mode, i21_test_mode),
    "I23": (i23_no_unasked_word, i23_webhook_is_a_hint, i23_only_the_signed, i23_each_once),
    "I24": (i24_confinement,),
    "I25": (i25_stop, i25_switched_off, i25_calls, i25_by_hand),
}
"""What is judged at the end of every story, by invariant."""
OF_ANY_LEDGER = ("I1", "I2", "I4", "I12", "I18", "I25")
"""What holds even after an older ledger was put in the place of the true one, which then cannot tell the rest."""


APART: dict[str, tuple[int, Callable[[Story], list[str]]]] = {
    "I10": (RERUN_EVERY, i10_rerun_changes_nothing),
    "I5": (COMPARED_EVERY, i5_comparison_names_each),
    "I15": (POISON_EVERY, lambda story: i15_poison_isolated(story.schedule)),  # it takes the story's world away
}
"""What lets more runs happen, in this order: one of so many seeds is judged so."""

ELSEWHERE: dict[str, tuple[str, str]] = {
    "I4": ("tests/power/test_power_loss.py", "with the real writes and syncs of a real process, each cut anywhere"),
    "I7": ("tests/confluence/test_confluence.py", "replaying the stored evidence on an empty ledger gives the same ledger"),
    "I8": (
        "tests/confluence/test_confluence.py",
        "every order and multiplicity of the provider's messages ends in the same state",
    ),
    "I9": ("tests/crash/test_every_point.py", "killed at each point, the next runs end as if nothing had happened"),
    "I11": ("tests/crash/test_two_runs.py", "two real processes at once"),
    "I19": ("tests/table/test_tamper.py", "every change, cut and exchange of events is noticed"),
    "I20": ("tests/table/test_exit_codes.py", "every combination of problems and standings gives the code of the table"),
    "I21": ("tests/settings/test_identity_lock.py", "each changed part of the identity is refused before anything leaves"),
    "I22": ("tests/fuzz/test_limits.py", "inputs beyond every limit are refused in bounded time and memory"),
    "I23": ("tests/webhooks/test_verifying.py", "whatever is changed of a signed webhook, it is refused"),
    "I24": ("tests/fuzz/test_fuzz.py", "hostile names and ids lead nowhere"),
}
"""By invariant: the file that checks the rest of it, or all of it where the world cannot, and how."""


def judge(story: Story) -> list[str]:
    """Every violation of every invariant that can be seen at the end of a story."""
    found = judged(evidence_of(story))
    if story.restored:
        return found  # its nights are refused, and an older ledger need not repeat itself
    for every, function in APART.values():
        if is_due(story.schedule.seed, every):
            found += function(story)
    return found


def judged(seen: Evidence) -> list[str]:
    """Every violation that the evidence shows."""
    ids = OF_ANY_LEDGER if seen.restored else tuple(INVARIANTS)
    return [words for each in ids for function in INVARIANTS[each] for words in function(seen)]
