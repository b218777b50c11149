"""Tests of the report, its figures and its page."""
