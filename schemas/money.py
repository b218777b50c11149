"""Money as integer minor units. No float ever stands between the order system and the provider."""

ZERO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def exponent(currency: str) -> int:
    """How many decimals a currency has (ISO 4217): USD 2, JPY 0, KWD 3."""
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def decimal_text(amount_minor: int, currency: str, decimal_mark: str = ".") -> str:
    """An amount as finance reads it: 1234 USD minor units are `12.34`; negative amounts keep their sign."""
    places = exponent(currency)
    sign, digits = ("-" if amount_minor < 0 else ""), str(abs(amount_minor)).rjust(places + 1, "0")
    return f"{sign}{digits}" if places == 0 else f"{sign}{digits[:-places]}{decimal_mark}{digits[-places:]}"


def people_text(amount_minor: int, currency: str) -> str:
    """An amount for people, with its currency and thousands separated: `USD 21,874.10`."""
    whole, _, cents = decimal_text(abs(amount_minor), currency).partition(".")
    sign = "-" if amount_minor < 0 else ""
    return f"{currency} {sign}{int(whole):,}" + (f".{cents}" if cents else "")


def minor_of(text: str, currency: str) -> int | None:
    """An amount that a person wrote, as minor units: `12.34` USD is 1234, `12` is 1200; None for anything else.

    Only digits, with as many decimals as the currency has, or none: no sign, no exponent, no separators, and never nought.
    """
    whole, mark, cents = text.partition(".")
    places = exponent(currency)
    if not (whole.isascii() and whole.isdigit()) or len(whole) > 12:
        return None
    if mark and not (cents.isascii() and cents.isdigit() and len(cents) == places):
        return None
    return int(whole + (cents if mark else "0" * places)) or None
