"""How fast calls go out, beside simpler ways to make them."""
