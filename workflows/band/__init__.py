"""Minimum energy paths: the drivers, their checks, and what they keep on disk."""
