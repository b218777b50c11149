"""`mitbatch serve`: the receiver of webhooks, and the two questions that the merchant's own programs ask over HTTP."""
