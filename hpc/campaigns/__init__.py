"""Many studies from one file: what is submitted, and what became of it."""
