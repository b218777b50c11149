"""Random inputs are judged by their results: a slow machine makes no test fail."""

from hypothesis import settings

settings.register_profile("pure", deadline=None)
settings.load_profile("pure")
