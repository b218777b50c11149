"""`mitbatch serve`: the receiver of webhooks, the questions that the merchant's own programs ask, the dashboard and metrics."""
