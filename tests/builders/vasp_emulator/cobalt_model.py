"""Ligand-field energies of the Co2+ of a crystal, straight from the kernel: what maps of engines are held against."""

from magnetoionics.calculators.ligand_field import LigandFieldModel, LigandFieldParameters, site_fields


def cobalt_sites(atoms):
    """Indices of Co2+: all Co whose ``valence`` array rounds to 2 (all Co if there is none)."""
    valences = atoms.arrays.get("valence")
    return [
        i
        for i, symbol in enumerate(atoms.get_chemical_symbols())
        if symbol == "Co" and (valences is None or round(float(valences[i])) == 2)
    ]


def cobalt_energies(atoms, charges, directions, *, sites=None):
    """E(n) of each Co2+, eV, shape (n_ions, n_directions); `charges` make the l = 2 field."""
    chosen = cobalt_sites(atoms) if sites is None else list(sites)
    used = LigandFieldParameters()
    fields = site_fields(atoms.cell.array, atoms.positions, atoms.get_chemical_symbols(), charges, chosen, used)
    return LigandFieldModel(used).ground_energies(fields, directions)
