"""What a person reads at the terminal: tables, lists of structures, documents, costs."""
