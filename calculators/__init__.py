"""How an energy is had cheaply: rigid ions, fields and ligand fields. Knows no workflow."""
