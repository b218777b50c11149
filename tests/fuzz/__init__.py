"""Hostile inputs by the thousand: whatever comes in is read exactly, or refused with a sentence of ours, and harms nothing."""
