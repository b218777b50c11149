"""What is known of one fault of the catalogue."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """One fault: its sentence, how a world lets it strike, the tests that let it strike elsewhere, the door it waits for."""

    sentence: str
    world: str = ""
    tests: tuple[str, ...] = ()
    door: str = ""
