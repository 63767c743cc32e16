"""A host drafted from a structure file alone: every guess with its reason, to be read and corrected."""
