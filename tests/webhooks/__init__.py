"""Webhooks: what is believed, what is kept, what follows from it, and the server that they come to."""
