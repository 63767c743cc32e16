"""What any calculation hands back: documents, calculations and their checks, units and constants."""
