"""Tests of what the data looks like."""
