"""Cells without defects: cation orders, random cells, supercells, films, competing phases."""
