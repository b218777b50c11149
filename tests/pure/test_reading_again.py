"""Which outbound files are read: what looks changed at once, and what does not look so in any case before long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from batch.ledger.evidence import KnownFile
from batch.pace import utc_text
from batch.reading_again import MOST_READ_AGAIN, READ_AGAIN_AFTER, RECENT, worth_reading
from batch.sftp_channel import RemoteName

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
LISTED = RemoteName("a_response.json", 10, is_file=True, modified=5)


def known(name: str = LISTED.name, *, read: timedelta = timedelta(0), first: timedelta = timedelta(0)) -> KnownFile:
    """A file of ten bytes that was applied, last and first read so long ago."""
    return KnownFile(name, "hash", 10, "applied", utc_text(NOW - max(read, first)), utc_text(NOW - read), 5)


def read(entry: RemoteName, *before: KnownFile, awaited: set[str] | None = None) -> bool:
    """Whether this entry is read now."""
    return worth_reading([entry], {entry.name: list(before)}, awaited or set(), NOW) == [entry]


def test_whatever_looks_changed_is_read_at_once() -> None:
    """A new name, an awaited one, another size or time, an unknown size, and what was not whole are read; else nothing is."""
    assert not read(LISTED, known())
    assert read(LISTED)
    assert read(LISTED, known(), awaited={LISTED.name})
    assert read(replace(LISTED, size=11), known())
    assert read(replace(LISTED, size=None), known())
    assert read(replace(LISTED, modified=4), known())
    assert read(replace(LISTED, modified=None), known())
    assert read(LISTED, replace(known(), verdict="unstable"))


def test_the_content_that_was_read_last_is_compared() -> None:
    """A file that is back at a size that it had before is read: what stood there in between was another one."""
    before = known()
    assert read(LISTED, before, replace(before, content_hash="other", size=12))


def test_no_listing_keeps_a_file_unread_for_ever() -> None:
    """A file that looks unchanged is read again once an hour has passed, be the listing without times or not."""
    quiet = replace(LISTED, modified=None)
    for entry, modified in ((LISTED, 5), (quiet, None)):
        assert not read(entry, replace(known(read=READ_AGAIN_AFTER - timedelta(seconds=1)), modified=modified))
        assert read(entry, replace(known(read=READ_AGAIN_AFTER), modified=modified))


def test_reading_again_is_bounded_and_everything_has_its_turn() -> None:
    """So many at a time, those that waited longest; a thousand old files do not keep a recent one waiting."""
    names = [f"{number:04}_response.json" for number in range(1000)]
    entries = [replace(LISTED, name=name) for name in names]
    recent = replace(LISTED, name="recent_response.json")
    files = {name: [known(name, read=READ_AGAIN_AFTER, first=RECENT * 2)] for name in names}
    files[recent.name] = [known(recent.name, read=READ_AGAIN_AFTER)]
    now, seen = NOW, set()
    for look in range(-(-len(names) // MOST_READ_AGAIN)):
        found = worth_reading([*entries, recent], files, set(), now)
        assert len(found) <= MOST_READ_AGAIN + 1
        assert look or recent in found
        seen |= {entry.name for entry in found}
        for entry in found:
            files[entry.name] = [replace(files[entry.name][0], read_at=utc_text(now))]
        now += timedelta(minutes=1)

    assert seen == {*names, recent.name}
