"""Brings finished runs in: folders, entries of other programs, task documents of stores."""
