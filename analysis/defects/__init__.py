"""Which defect forms, in which charge: formation energies, corrections, concentrations, oxidation states."""
