"""Tests of the pretend provider, from the client's side, with clients that share no code with it."""
