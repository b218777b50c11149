"""Order ids in the paths that `serve` answers: any text at all, line breaks and slashes too."""

from starlette.convertors import Convertor, register_url_convertor


class _AnyText(Convertor[str]):
    """What a path has where an id stands. Starlette's own `path` ends at a line break, where an id need not."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """The text as it is; whoever needs the id decodes it from the path's own bytes."""
        return value

    def to_string(self, value: str) -> str:
        """The same the other way."""
        return value


register_url_convertor("any_text", _AnyText())

ORDER_ID = "{order_id:any_text}"
"""The part of a route in which an order id stands."""
