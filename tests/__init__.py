"""Tests of the merchant's side, the pretend provider and the house itself."""
