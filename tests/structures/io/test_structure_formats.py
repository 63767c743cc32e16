"""Structure files of other codes: every format that is said to be read gives the crystal back, as a host too."""

import ase.io
import numpy as np
import pytest
import yaml
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.host_files import HostReference
from magnetoionics.structures.io.untrusted_input import KNOWN, read_structure_file
from pymatgen.core import Structure
from user_hosts import ENTRIES, bare_atoms

PSEUDOS = {symbol: f"{symbol}.upf" for symbol in ("Co", "Fe", "O")}
# File name and how ase writes it; xsf comes from ase and is read by pymatgen.
WRITTEN = {
    "mine.xsf": {"format": "xsf"},
    "mine.cfg": {"format": "cfg"},
    "mine.gen": {"format": "gen"},
    "mine.pwi": {"format": "espresso-in", "pseudopotentials": PSEUDOS},
    "mine.res": {"format": "res"},
    "mine.xyz": {"format": "extxyz"},
    "CONTCAR": {"format": "vasp"},
    "mine.cif": {"format": "cif"},
}


def loaded(path):
    return HostReference.from_file(path).host()


@pytest.fixture(scope="module")
def cell() -> Structure:
    return get_host("cofe2o4").structure("Imma")


def written(cell: Structure, name: str, folder):
    atoms = bare_atoms(cell)
    ase.io.write(folder / name, atoms, **WRITTEN[name])
    return folder / name


def distances(structure: Structure, element: str) -> np.ndarray:
    sites = [i for i, site in enumerate(structure) if site.specie.symbol == element]
    return np.sort(structure.distance_matrix[np.ix_(sites, sites)].ravel())


@pytest.mark.parametrize("name", WRITTEN)
def test_distances_and_elements_come_back(cell, name, tmp_path):
    read = read_structure_file(written(cell, name, tmp_path))
    assert read.composition == cell.composition
    for element in ("Co", "Fe", "O"):
        mine, given = (
            np.sort(
                s.distance_matrix[np.ix_(*[[i for i, x in enumerate(s) if x.specie.symbol == element]] * 2)].ravel()
            )
            for s in (read, cell)
        )
        # CIF and SHELX files keep about six digits of a fraction.
        np.testing.assert_allclose(mine, given, atol=1e-4)


@pytest.mark.parametrize("name", ["mine.xsf", "mine.gen", "mine.pwi"])
def test_host_of_such_a_file_is_the_host_of_the_cif(cell, name, tmp_path):
    hosts = []
    for file in ("mine.cif", name):
        written(cell, file, tmp_path)
        yaml_file = tmp_path / f"{file}.yaml"
        yaml_file.write_text(yaml.safe_dump({**ENTRIES, "structures": {"measured": file}}))
        hosts.append(loaded(yaml_file).structure("measured"))
    first, second = hosts
    assert sorted(first.site_properties["magmom"]) == sorted(second.site_properties["magmom"])
    assert first.composition == second.composition


def test_unknown_and_binary_formats_are_refused_with_what_is_read(tmp_path):
    unknown, of_a_run = "no known structure format", "give the structure beside it"
    for name, why in (("mine.traj", of_a_run), ("mine.pickle", unknown), ("mine", unknown)):
        (tmp_path / name).write_text("x")
        with pytest.raises(ValueError, match=why) as refused:
            read_structure_file(tmp_path / name)
        assert KNOWN in str(refused.value)
    (tmp_path / "mine.cell").write_text("x")
    with pytest.raises(ValueError, match="LATTICE_CART"):
        read_structure_file(tmp_path / "mine.cell")


def test_molecule_has_no_cell(tmp_path):
    (tmp_path / "mine.gen").write_text("2 C\nO\n1 1 0.0 0.0 0.0\n2 1 0.0 0.0 1.2\n")
    with pytest.raises(ValueError, match="no periodic cell"):
        read_structure_file(tmp_path / "mine.gen")
    (tmp_path / "host.yaml").write_text(yaml.safe_dump({**ENTRIES, "structures": {"measured": "mine.gen"}}))
    with pytest.raises(HostFileError, match="no periodic cell"):
        loaded(tmp_path / "host.yaml")
