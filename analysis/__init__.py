"""What results mean: documents and pure functions. Knows no engine."""
