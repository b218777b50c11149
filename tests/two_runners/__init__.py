"""Two runs at once, one handing over to the other at any point, paused for longer than the lease or not (T5)."""
