"""How many of what, said to people: the noun agrees with its number."""


def counted(count: int, one: str, many: str = "", *, width: int = 0) -> str:
    """A count with its noun: `1 order`, `12,480 orders`, `2 copies` (`many` where it is not the noun with an s).

    `width` is how far the number is moved to the right, in a column of them.
    """
    return f"{count:>{width},} {one if count == 1 else many or one + 's'}"
