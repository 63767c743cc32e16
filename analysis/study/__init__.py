"""The study as documents and tables."""
