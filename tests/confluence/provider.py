"""The provider as a kit shows it: an outbound folder that fills, and answers that stand until the next one."""

import json
from collections.abc import Callable, Iterator, Sequence

from batch.provider_reads import Answer, ListedOrders, Reply
from batch.responses import read_order_answer, read_order_page
from batch.sftp_channel import RemoteName
from schemas.errors import AnswerUnreadable, SftpLost
from schemas.profile import Profile
from tests.confluence.kit import File, Message, Said

Kept = tuple[dict[str, bytes], dict[str, Said], set[bytes], dict[str, int]]
"""What has arrived: files, answers, what was heard of both, and when files were changed last."""


class Provider:
    """`ProviderFolder` and `ProviderReads` over what has arrived so far. It takes every file, or loses the rename's answer."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.files: dict[str, bytes] = {}
        self.said: dict[str, Said] = {}
        self.heard: set[bytes] = set()
        self.loses_rename = ""
        self.tells_times = True
        self.times: dict[str, int] = {}

    def remember(self) -> Kept:
        """Everything that has arrived and was heard, to come back to."""
        return dict(self.files), dict(self.said), set(self.heard), dict(self.times)

    def forget(self, memory: Kept) -> None:
        """Be again as it was then."""
        files, said, heard, times = memory
        self.files, self.said, self.heard, self.times = dict(files), dict(said), set(heard), dict(times)

    def send(self, message: Message) -> None:
        """One message arrives."""
        if isinstance(message, File):
            self.files[message.name] = message.content
            self.times[message.name] = self.times.get(message.name, 0) + 1
        elif isinstance(message, Said):
            self.said[message.order_id] = message

    def fresh_token(self) -> str:
        """A token."""
        return "token"

    def read_orders(self, provider_order_ids: Sequence[str]) -> Iterator[Answer]:
        """The last answer about each, or that the provider does not know it."""
        by_id = {said.provider_order_id: said for said in self.said.values() if said.is_read}
        for each in provider_order_ids:
            said = by_id.get(each)
            if said is None:
                yield Answer(each, b"", None, "the provider does not know the order", is_absent=True)
                continue
            self.heard.add(said.content)
            try:
                yield Answer(each, said.content, read_order_answer(said.content, self._profile))
            except AnswerUnreadable as error:
                yield Answer(each, said.content, None, error.what)

    def ask_once(self, path: str, content: bytes) -> Reply:
        """Nothing is asked for in a kit."""
        raise AssertionError((path, content))

    def find_order(self, order_id: str) -> Answer:
        """The listing, searched for one of our ids."""
        said = self.said.get(order_id)
        rows = [said.content] if said is not None and said.is_listed else []
        page = b'{"orders": [' + b", ".join(rows) + b'], "hasNextPage": false}'
        try:
            found = read_order_page(page, self._profile).orders
        except AnswerUnreadable as error:
            self.heard.update(rows)
            return Answer(order_id, page, None, error.what)
        same = [order for order in found if order.external_id == order_id]
        if not same:
            return Answer(order_id, b"", None, "the provider's listing does not show the order", is_absent=True)
        self.heard.update(rows)
        return Answer(order_id, page, same[0])

    def find_orders(self, order_ids: Sequence[str]) -> Iterator[Answer]:
        """The same for each."""
        return map(self.find_order, order_ids)

    def list_orders(self, codes: Sequence[int], placed_from: str, page: int) -> ListedOrders:
        """Everything that the listing shows and that has one of these codes, on one page."""
        rows = [said.content for said in self.said.values() if said.is_listed]
        try:
            found = read_order_page(b'{"orders": [' + b", ".join(rows) + b"]}", self._profile)
        except AnswerUnreadable as error:
            return ListedOrders((), has_next=False, problem=error.what)
        return ListedOrders(tuple(order for order in found.orders if order.code in codes), has_next=False)

    def answers(self) -> list[RemoteName]:
        """The outbound folder, by name; `tells_times` says whether it shows when a file was changed last."""
        return [
            RemoteName(name, len(content), is_file=True, modified=self.times.get(name, 0) if self.tells_times else None)
            for name, content in sorted(self.files.items())
        ]

    def fetch(self, name: str, limit: int) -> bytes | None:
        """A file's content as it is now."""
        content = self.files[name]
        self.heard.add(content)
        return content

    def write_part(self, name: str, content: bytes) -> None:
        """A part is taken."""

    def rewrite_part(self, name: str, content: bytes, on_proof: Callable[[], None]) -> None:
        """A part is taken again."""
        on_proof()

    def size_of(self, name: str) -> int | None:
        """Nobody can look while the rename's answer is lost."""
        raise SftpLost("the connection was lost")

    def publish(self, part: str, name: str) -> None:
        """The rename happens; its answer may be lost, or the runner dies right after it was asked for."""
        if self.loses_rename == "in_doubt":
            raise SftpLost("the connection was lost")
        if self.loses_rename == "part_verified":
            raise RunnerDied

    def sha256_of(self, name: str, limit: int) -> str | None:
        """Nothing is left in the inbound folder."""
        return None


class RunnerDied(BaseException):
    """The merchant's process ended here."""


def order_answer(provider_order_id: str, order_id: str, code: int | None, word: str, **more: object) -> bytes:
    """One order as `GET /orders/{id}` shows it (CONTRACT 9)."""
    fields: dict[str, object] = {"id": provider_order_id, "externalOrderId": order_id, "amount": 1999, "currencyCode": "USD"}
    if code is not None:
        fields["status"] = code
    if word:
        fields["statusName"] = word
    return json.dumps(fields | more).encode()
