"""One adapter file per engine."""
