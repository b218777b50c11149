"""Power cuts in a real night: images of the disk, and the rest of the night on them. And the model of the disk itself."""

import os
import shutil
from collections.abc import Sequence
from random import Random

import pytest

from tests.power.campaign import campaign
from tests.power.disk import MODELS, Disk
from tests.power.record import Effect

IMAGES = 16
"""Of the 500 and more that T4 judges."""


@pytest.mark.skipif(shutil.which("gcc") is None and not os.environ.get("CI"), reason="there is no C compiler here")
def test_no_power_cut_changes_what_a_night_promises() -> None:
    """Whatever a power cut leaves of the disk, nothing that had left is unrecorded, sent twice, lost, or reported wrongly."""
    outcome = campaign(IMAGES, 1)
    assert outcome.violations == ()
    assert outcome.figures["images"] == IMAGES
    assert outcome.figures["images after bytes had left"] >= IMAGES // 5
    assert outcome.figures["images that lost something"] >= IMAGES // 5
    assert outcome.figures["nights continued"] >= IMAGES // 5


def _effect(kind: str, path: str, content: bytes = b"", number: int = 0, inode: int = 1) -> Effect:
    return Effect(kind, inode, number, path, content)


def _outcomes(effects: Sequence[Effect], model: str) -> list[dict[str, bytes]]:
    found = []
    for seed in range(300):
        disk = Disk({"old": b"old"})
        for effect in effects:
            disk.do(effect)
        image = disk.survivors(Random(seed), model)  # noqa: S311 - not for secrets
        if image not in found:
            found.append(image)
    return found


def test_what_was_synced_survives_every_cut() -> None:
    """A file that was synced is there under its name with its content, in both models."""
    effects = [_effect("C", "a"), _effect("W", "a", b"text"), _effect("S", "a")]
    for model in MODELS:
        assert _outcomes(effects, model) == [{"old": b"old", "a": b"text"}]


def test_a_write_that_was_not_synced_may_be_whole_torn_zero_or_lost() -> None:
    """Of a long write after the last sync there may be everything, a beginning up to a sector's end, zeros, or nothing."""
    effects = [_effect("C", "a"), _effect("S", "a"), _effect("W", "a", b"x" * 1200)]
    for model in MODELS:
        contents = {image["a"] for image in _outcomes(effects, model)}
        wanted = {b"", b"x" * 512, b"x" * 1024, b"x" * 1200, bytes(1200)}
        assert wanted <= contents
        assert all(content.rstrip(b"\0").rstrip(b"x") == b"" for content in contents)


def test_a_rename_without_a_sync_leaves_the_old_name_or_an_unwritten_file() -> None:
    """A file renamed before it was synced may stand under its name with nothing in it; the name it replaced may stay."""
    effects = [_effect("C", "new"), _effect("W", "new", b"text"), _effect("R", "new", b"old")]
    for model in MODELS:
        contents = {image["old"] for image in _outcomes(effects, model)}
        assert {b"", b"text", b"old"} <= contents


def test_a_removal_is_undone_until_its_folder_is_synced() -> None:
    """A removed file may be back, unless its folder was synced; in one order, syncing a file made later is enough."""
    removal = [_effect("U", "old")]
    for model in MODELS:
        assert {"old" in image for image in _outcomes(removal, model)} == {True, False}
        assert _outcomes([*removal, _effect("S", "", inode=9)], model) == [{}]
    later = [*removal, _effect("C", "a"), _effect("S", "a")]
    assert {"old" in image for image in _outcomes(later, "ordered")} == {False}
    assert {"old" in image for image in _outcomes(later, "single")} == {True, False}


def test_syncing_a_file_that_grew_secures_the_names_before_it_in_one_order() -> None:
    """A file's new size is in the journal behind earlier changes of names; a file that only changed inside is not."""
    start = [_effect("C", "a"), _effect("W", "a", b"text"), _effect("S", "a"), _effect("U", "old")]
    grown = [*start, _effect("W", "a", b"more", 4), _effect("S", "a")]
    inside = [*start, _effect("W", "a", b"next"), _effect("S", "a")]
    assert {"old" in image for image in _outcomes(grown, "ordered")} == {False}
    assert {"old" in image for image in _outcomes(inside, "ordered")} == {True, False}
