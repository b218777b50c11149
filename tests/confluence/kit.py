"""A kit: a small story of orders that were sent, as the set of messages that the provider then sends about them.

Which orders of arrival are possible in reality, and so are tried:

* Files of the outbound folder may be seen in any order: an upload can be late, and two hosts behind one name can show
  an older content after a newer one (fault N-18). A file that is still being written is the exception: its beginning
  is never seen after the whole.
* `GET /orders` answers at a point of the provider's own time. Two answers about one order come in that time's order,
  unless the kit says that the provider answers from several copies of its database (`copies`): then an older answer
  can follow a newer one.
* A webhook may come at any time: before the answer to the file that it is about, and long after everything else.
* An answer can only be heard when it can be asked for: by the provider's id, which an accepting acknowledgement
  teaches, or through the listing by our own id. Where the kit's listing does not carry our id (`listed` is false), an
  answer comes after an acknowledgement that accepts its order.

Each answer comes with its occasion, a hint without content such as a webhook is: without one nobody would ask
again about an order that has ended, and the message would not exist.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class File:
    """A content that lies in the outbound folder under a name, until the next content of that name.

    `accepts` are the orders whose provider id it teaches; `begins` marks the beginning of a file that is not whole yet.
    """

    label: str
    name: str
    content: bytes
    accepts: tuple[str, ...] = ()
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What `GET /orders` says about one order of ours from now on, both by the provider's id and in the listing.

    `content` is one order as the provider writes it; `is_listed` and `is_read` say which of the two doors shows it.
    """

    label: str
    order_id: str
    provider_order_id: str
    content: bytes
    is_listed: bool = True
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Webhook:
    """What the provider tells by itself, signed rightly; each time that it arrives it has a nonce of its own."""

    label: str
    content: bytes


Message = File | Said | Webhook


@dataclass(frozen=True, slots=True)
class Shape:
    """What was sent before the first message: files (their orders), how far each got, and how long ago.

    `step` is where the delivery stands: delivered, in_doubt (the rename's answer was lost), or part_verified (the
    runner died after asking for the rename). `minutes` have passed since. `claimed_again`: the first file was refused,
    and its orders went out again in a second one. `eager`: the merchant charges by itself whatever is free.
    `tells_times`: the outbound folder's listing shows when a file was changed last. `lies`: every file lies there for a
    while and is looked at again before the next message, as CSV must, whose end nobody can see.
    """

    files: tuple[tuple[str, ...], ...] = (("a",),)
    step: str = "delivered"
    minutes: int = 1
    claimed_again: bool = False
    eager: bool = False
    tells_times: bool = True
    lies: bool = False


@dataclass(frozen=True, slots=True)
class Kit:
    """One story: its name, the faults it stands for, what was sent, and its messages in the provider's own order.

    `ends` are the states that orders, and the steps that files, must end in.
    """

    name: str
    faults: tuple[str, ...]
    messages: tuple[Message, ...]
    shape: Shape = field(default_factory=Shape)
    copies: bool = False
    listed: bool = True
    ends: tuple[tuple[str, str], ...] = ()

    def may_follow(self, before: Sequence[int], index: int) -> bool:
        """Whether a message can arrive now, when these have arrived before it."""
        message = self.messages[index]
        if isinstance(message, Webhook):
            return True
        if isinstance(message, File):
            return not message.begins or not any(self._is_whole_of(message, self.messages[other]) for other in before)
        if not self.copies and any(other > index and self._is_about(other, message.order_id) for other in before):
            return False
        earlier = () if self.copies else (i for i in range(index) if self._is_about(i, message.order_id))
        if any(other not in before for other in earlier):
            return False
        return self.listed or any(
            message.order_id in taught.accepts for i in before if isinstance(taught := self.messages[i], File)
        )

    def _is_whole_of(self, beginning: File, other: Message) -> bool:
        return isinstance(other, File) and other.name == beginning.name and not other.begins

    def _is_about(self, index: int, order_id: str) -> bool:
        message = self.messages[index]
        return isinstance(message, Said) and message.order_id == order_id

    def arrivals(self, before: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
        """Every possible order of arrival, each message once; orders that begin alike come one after the other."""
        if len(before) == len(self.messages):
            yield before
        for index in range(len(self.messages)):
            if index not in before and self.may_follow(before, index):
                yield from self.arrivals((*before, index))

    def sampled(self, count: int, chance: random.Random, *, twice: bool = True) -> list[tuple[int, ...]]:
        """Some possible orders of arrival; with `twice`, one or more messages arrive a second time."""
        return sorted(self._one(chance, twice=twice) for _ in range(count))

    def _one(self, chance: random.Random, *, twice: bool) -> tuple[int, ...]:
        bag = list(range(len(self.messages)))
        if twice:
            bag += chance.sample(bag, chance.randint(1, len(bag)))
        arrived: list[int] = []
        while bag:
            open_now = [index for index in bag if self.may_follow(arrived, index)]
            if not open_now:  # what is left could only repeat what the provider has taken back since
                break
            index = chance.choice(open_now)
            bag.remove(index)
            arrived.append(index)
        return tuple(arrived)

    def told(self, arrival: Sequence[int]) -> str:
        """An order of arrival in words."""
        return " > ".join(self.messages[index].label for index in arrival)
