"""Figures: each function takes documents and returns a matplotlib Figure."""
