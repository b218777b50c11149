"""Where tests lie."""

from pathlib import Path

from tests.house.source import ROOT


def out_of_place(tests: Path) -> list[str]:
    """Test files whose folder is no package: two of one name in such folders would be taken for each other."""
    return sorted(
        str(path.relative_to(tests))
        for path in tests.rglob("test_*.py")
        if any(not (folder / "__init__.py").is_file() for folder in path.parents if folder.is_relative_to(tests))
    )


def test_every_test_lies_in_a_package() -> None:
    """Every folder with tests is a package, so that tests of one name in two folders are two."""
    assert out_of_place(ROOT / "tests") == []


def test_a_test_that_lies_in_no_package_is_found(tmp_path: Path) -> None:
    """A test file in a folder without `__init__.py` is named."""
    (tmp_path / "__init__.py").touch()
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_calls.py").touch()
    (tmp_path / "good" / "__init__.py").touch()

    assert out_of_place(tmp_path) == ["bad/test_calls.py"]
