"""Dying in the world: at every point of many nights, at pairs of points, and beside a second runner (T2, T5)."""
