"""Metrics, their alerts and pictures, and the dashboard."""
