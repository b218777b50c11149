"""Sandboxes of one seed share their credentials and nothing that one of them may change."""

from pathlib import Path

from jobs.sandbox import Sandbox


def test_a_changed_account_is_one_sandboxs_own(tmp_path: Path) -> None:
    """What a test changes of one sandbox's account, as its mode, no other sandbox of the same seed has."""
    first, second = Sandbox(tmp_path / "a"), Sandbox(tmp_path / "b")
    object.__setattr__(first._account, "mode", "sync")

    assert (first._account.mode, second._account.mode) == ("sync", "managed")
    assert first.app_key == second.app_key
    assert Sandbox(tmp_path / "c")._account.mode == "managed"
