"""Bugs that only a death or another run brings to light, planted into the runs of these tests: each must be found.

`python -m tests.crash.planted SLUG [--kills N] [--races N]` lets the campaigns look for one; it exits 1 when none does.
"""

import argparse
import sys
from dataclasses import dataclass

from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import plant

_DELIVERY, _HOLDING = "batch/delivery.py", "batch/holding.py"


@dataclass(frozen=True)
class Edit:
    """One text of one file, which stands there exactly once, and what comes in its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """What a tired engineer might have written, and the beginning of the words that must say so."""

    slug: str
    does: str
    violates: str
    edits: tuple[Edit, ...]

    def patched(self) -> dict[str, str]:
        """The text of each file with the bug in it. Raises ValueError for a bug that no longer fits."""
        texts: dict[str, str] = {}
        for edit in self.edits:
            text = texts.get(edit.file) or (REPOSITORY / edit.file).read_text(encoding="utf-8")
            if text.count(edit.old) != 1:
                message = f"{self.slug}: its text stands {text.count(edit.old)} times in {edit.file}"
                raise ValueError(message)
            texts[edit.file] = text.replace(edit.old, edit.new)
        return texts

    def plant(self) -> None:
        """Forget the program, so that it is loaded again with the bug. Only for a process that will end with it."""
        for file, text in self.patched().items():
            plant(file, text)


_HOLD_AFTER_SEND = Bug(
    "hold-after-send",
    "an order is held in the order system only when its file has been renamed",
    "I1",
    (
        Edit(
            _HOLDING,
            "    refused = equipment.writer.place_holds(wanted, now=utc_text(equipment.clock.now()))\n",
            "    refused: dict[str, str] = {}\n",
        ),
        Edit(
            _HOLDING,
            "rows.get(submission.order_id))\n            if obstacle is not None and",
            "rows.get(submission.order_id)) and None\n            if obstacle is not None and",
        ),
        Edit(
            "batch/intent.py",
            "obstacle = obstacle_of(submission, rows.get(submission.order_id)) or ",
            "obstacle = ",
        ),
        Edit(
            _DELIVERY,
            "                folder.publish(part, batch.file_name)\n",
            "                folder.publish(part, batch.file_name)\n"
            "                from batch.writeback import HoldWanted\n"
            "                with self._equipment.ledger.reading() as connection:\n"
            "                    sent = submissions_of_batch(connection, self._equipment.ledger.mid, batch.batch_id)\n"
            "                wanted = [\n"
            "                    HoldWanted(s.order_id, s.hold_reference, s.amount_minor, s.currency, s.expires_at)\n"
            "                    for s in sent\n"
            "                ]\n"
            "                self._equipment.writer.place_holds(wanted, now=utc_text(self._equipment.clock.now()))\n",
        ),
    ),
)

_BLIND_RESEND = Bug(
    "blind-resend",
    "after a death a file is written and renamed again, without a look whether it left",
    "I2",
    (
        Edit(
            _DELIVERY, "            return self._resume(batch)\n", "            return self._publish(self._write_part(batch))\n"
        ),
        Edit(
            "batch/pipeline.py",
            "    heard = not (resumed or refused) or _heard(equipment, run, findings, resumed)\n",
            "    heard = True\n",
        ),
    ),
)

_LEASE_UNCHECKED = Bug(
    "lease-unchecked",
    "a run that lost its lease goes on writing",
    "I20",
    (
        Edit(
            "batch/ledger/transaction.py",
            'lease.c.token == bindparam("w_token"), lease.c.run_id == bindparam("w_run_id"))',
            '(lease.c.token == bindparam("w_token")) | (lease.c.token > 0),'
            ' (lease.c.run_id == bindparam("w_run_id")) | (lease.c.token > 0))',
        ),
    ),
)

_OLD_TOKEN = Bug(
    "old-token-is-renamed",
    "a part is renamed however old its token has grown within the run",
    "the provider refused a whole file",
    (
        Edit(
            _DELIVERY,
            "        return age > TOKEN_KEEPS or not batch.part_sha256\n",
            "        return age < TOKEN_KEEPS and not batch.part_sha256\n",
        ),
    ),
)

_CALLED_AGAIN = Bug(
    "called-again",
    "orders that a dead run had begun to call are called again",
    "I2",
    (
        Edit(
            "batch/api_evaluates.py",
            '[Move(each, State.IN_DOUBT, "send", reason, shows=False) for each in begun]',
            '[Move(each, State.HELD, "send", reason, shows=False) for each in begun]',
        ),
    ),
)

BUGS = {bug.slug: bug for bug in (_HOLD_AFTER_SEND, _BLIND_RESEND, _LEASE_UNCHECKED, _OLD_TOKEN, _CALLED_AGAIN)}
"""By their names."""


def main() -> int:
    """Run the command."""
    from tests.crash.campaign import campaign, races

    parser = argparse.ArgumentParser(prog="python -m tests.crash.planted", description=__doc__)
    parser.add_argument("slug", choices=BUGS)
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="so many runs that are killed")
    parser.add_argument("--races", type=int, default=0, metavar="N", help="so many races")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = 0
    for looks, size in ((campaign, asked.kills), (races, asked.races)):
        if size:
            outcome = looks(size, asked.seed, bug=asked.slug)
            found += sum(words.count(BUGS[asked.slug].violates) > 0 for words in outcome.violations)
            sys.stdout.write(f"{outcome.title}: {len(outcome.violations)} violations in {outcome.seconds:.0f} s\n")
            sys.stdout.writelines(f"  {words[:300]}\n" for words in outcome.violations[:5])
    sys.stdout.write(f"{asked.slug}: {'caught' if found else 'MISSED'}\n")
    return int(not found)


if __name__ == "__main__":
    sys.exit(main())
