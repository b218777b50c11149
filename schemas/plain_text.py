"""Text from outside on one line: nothing in it moves a cursor, forges a line or turns the reading direction (CWE-117)."""

_MARKS = (0x2028, 0x2029, 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPED = {number: f"\\x{number:02x}" for number in (*range(0x20), *range(0x7F, 0xA0))}
_ESCAPED |= {number: f"\\u{number:04x}" for number in (*_MARKS, *range(0xD800, 0xE000))}
_ESCAPED |= {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}


def one_line(text: str) -> str:
    """The text with every control character, line break, turn of direction and half character escaped, such as `\\x1b`."""
    return text if text.isprintable() else text.translate(_ESCAPED)


def shown(value: object) -> object:
    """What a page shows of a value: text on one line; markup, which is made by us alone, and numbers as they are."""
    return one_line(value) if type(value) is str else value
