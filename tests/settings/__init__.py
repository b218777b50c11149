"""Settings: what is read from where, and what is refused with which sentence."""
