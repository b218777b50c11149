"""Tests of the pure decisions: no files but the packaged ones, no clock, no network."""
