"""Magneto-ionics from first principles: vacancies, field-driven migration, anisotropy and switching."""

__version__ = "0.1.0"
