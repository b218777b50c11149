"""The ledger once more, from all of its evidence in any order, each piece once or more often (I7).

Nothing is asked again: what was read goes straight to the doors that the product has for it, whatever the ledger knows
by then. It starts from what we did ourselves: the claims, and that they were sent.
"""

import random
from collections import defaultdict, deque
from collections.abc import Sequence

from batch.applying import Heard, hear
from batch.ledger.reading import attempts_of
from batch.responses import read_order_answer, read_order_page
from batch.webhook_news import apply_webhooks
from schemas.errors import AnswerUnreadable
from tests.confluence.bench import Bench
from tests.confluence.replay import Evidence


def shuffled(evidence: Sequence[Evidence], chance: random.Random, *, keeps_time: bool) -> list[Evidence]:
    """Some order of all pieces, some of them twice.

    With `keeps_time` the reads of one order stay in the order in which the provider gave them: that is its own time.
    """
    bag = [*evidence, *(piece for piece in evidence if chance.random() < 1 / 3)]
    chance.shuffle(bag)
    if not keeps_time:
        return bag
    place = {id(piece): number for number, piece in enumerate(evidence)}
    reads: dict[str, deque[Evidence]] = defaultdict(deque)
    for piece in sorted((piece for piece in bag if piece.source == "poll"), key=lambda piece: place[id(piece)]):
        reads[piece.subject].append(piece)
    return [reads[piece.subject].popleft() if piece.source == "poll" else piece for piece in bag]


def rebuild(bench: Bench, evidence: Sequence[Evidence]) -> dict[str, str]:
    """Hear every piece, in this order, on a ledger that knows our own deeds only; returns the states by order and claim."""
    told, bench.provider.tells_times = bench.provider.tells_times, True
    for piece in evidence:
        if piece.source == "poll":
            _hear(bench, piece)
        elif piece.source == "webhook":
            bench.keep(piece.content)
            apply_webhooks(bench.equipment, bench.run)
        else:
            bench.provider.files = {piece.name: piece.content}
            bench.provider.times[piece.name] = bench.provider.times.get(piece.name, 0) + 1
            bench.collect()
    bench.provider.tells_times = told
    return states(bench)


def states(bench: Bench) -> dict[str, str]:
    """The state of every claim."""
    rows = bench.raw.execute("SELECT order_id || '#' || attempt, state FROM submission ORDER BY 1")
    return {str(claim): str(state) for claim, state in rows}


def _hear(bench: Bench, piece: Evidence) -> None:
    order_id, profile = piece.subject.removeprefix("order:"), bench.equipment.profile
    try:
        if piece.content.startswith(b'{"orders": ['):
            found = read_order_page(piece.content, profile).orders
            read, problem = next((each for each in found if each.external_id == order_id), None), ""
        else:
            read, problem = read_order_answer(piece.content, profile), ""
    except AnswerUnreadable as error:
        read, problem = None, error.what
    with bench.equipment.ledger.writing(bench.run) as writing:
        latest = attempts_of(writing.connection, writing.mid, order_id)[-1]
        hear(writing, bench.equipment, latest, Heard("poll", piece.content, read, problem))
