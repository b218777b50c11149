"""Comparing the books of many orders: what it costs in memory and time."""
