"""Cells from a space group and its positions, and the ferrites."""
