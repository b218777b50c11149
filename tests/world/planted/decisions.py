"""Bugs in how outcomes are heard of, in changed modes, and in what people decide (I3, I5, I7, I12, I21)."""

from tests.world.planted.bug import Happens, Planted
from tests.world.schedule import Deed, Schedule

_ORDERS = 3
_TOLD = Deed("provider", 0, 0, "outcome_files=true")
_FILES_ONLY = Deed("settings", 0, 5, 'outcomes={"trust_files":true,"ask":"off"}')
_OLDER_CALL = Deed("settings", 0, 5, 'outcomes.ask="outcome"')
_LASTS = tuple(Deed("row", 0, number, "expires") for number in range(_ORDERS))
_WAIT = tuple(Deed("row", 0, number, "waits") for number in range(_ORDERS))
_UNTAKEN = Deed("provider", 0, 0, "pickup_delay_seconds=40000")
_NEVER_ARRIVED = (
    Deed("fault", 0, 0, "refuse_rename*9"),
    Deed("files", 2, 0, "inbound deleted"),
    Deed("job", 4, 0, "resolve support-confirmed-never-arrived"),
)
_TWO_FACED = Deed("fault", 0, 0, "contradictory_rows")


def _with(*deeds: Deed) -> Happens:
    """Three orders, and what happens to them."""
    return Happens(Schedule(1, _ORDERS, deeds).as_json())


DECISIONS = (
    Planted(
        "every-row-is-a-completion",
        "an outcomes file that is believed completes whatever it names",
        "batch/trusted_files.py",
        "                word = status_word(row.status)\n",
        '                word = status_word(row.status) and "COMPLETED"\n',
        "I3",
        _with(_TOLD, _FILES_ONLY, Deed("row", 0, 0, "expires")),
        hunted=True,
    ),
    Planted(
        "success-is-taken-for-approval",
        "the older call's answer counts as approved because the call succeeded",
        "batch/responses.py",
        '    return OrderRead(asked_for, "", code=None, status=status, amount_minor=None, currency="")\n',
        '    return OrderRead(asked_for, "", code=None, status="APPROVED", amount_minor=None, currency="")\n',
        "I3",
        _with(_OLDER_CALL, *_LASTS),
        hunted=True,
    ),
    Planted(
        "modes-mix",
        "a night hands over in the new mode while orders of the old one are open",
        "batch/pipeline.py",
        "    refuse_changed_mode(equipment)\n",
        "    assert equipment.settings.provider.mit_mode\n",
        "I21",
        _with(*_LASTS, Deed("mode", 2, 0), Deed("order", 2, 9)),
        hunted=True,
    ),
    Planted(
        "no-rescue-against-the-provider",
        "an order is released by a person's word although the provider shows it",
        "batch/order_rulings.py",
        "        return _no_rescue(order, said)\n",
        "        return _no_rescue(order, replace(said, read=None, is_absent=True))\n",
        "I12",
        _with(_TWO_FACED, Deed("job", 1, 0, "insist support-confirmed-no-rescue")),
    ),
    Planted(
        "a-file-that-lies-there-never-arrived",
        "a file counts as never arrived by a person's word although it lies in the provider's folder",
        "batch/file_rulings.py",
        "    if file.lies_there:\n",
        "    if file.lies_there and file.known:\n",
        "I12",
        _with(_UNTAKEN, Deed("job", 1, 0, "insist support-confirmed-never-arrived")),
    ),
    Planted(
        "an-order-in-doubt-stays-behind",
        "a file that goes again by a person's word leaves an order without it that nothing kept from leaving",
        "batch/deciding.py",
        "    moving = [each for each in orders if each.state is not ruling.orders_to]\n",
        "    moving = [each for each in orders[1:] if each.state is not ruling.orders_to]\n",
        "I12",
        _with(*_NEVER_ARRIVED),
    ),
    Planted(
        "a-decision-that-is-not-shown",
        "the row of an order that goes on after a review shows the review for ever",
        "batch/results.py",
        '        if last is not None and last["from_state"] == State.REVIEW:\n',
        '        if last is not None and last["from_state"] == last["to_state"]:\n',
        "I5",
        _with(_TWO_FACED, *_WAIT, Deed("job", 1, 0, "resolve provider-is-right")),
    ),
    Planted(
        "decided-without-saying-by-whom",
        "what was decided by hand does not say who decided",
        "batch/review.py",
        '        return f"{self.resolution}: {self.reason} ({self.person})"\n',
        '        return f"{self.resolution}: {self.reason}"\n',
        "I7",
        _with(_TWO_FACED, *_LASTS, Deed("job", 1, 0, "resolve provider-is-right")),
    ),
)
"""Each breaks a promise about whose word counts."""
