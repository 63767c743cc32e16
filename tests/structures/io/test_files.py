"""Round trips: nothing about a site is lost on the way through a file."""

import numpy as np
import pytest
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.files import FORMATS, magmom_line, read_structure, write_structure
from magnetoionics.structures.spins import total_moment
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar


@pytest.fixture(scope="module", params=["cofe2o4", "zn095co005o"])
def collinear(request):
    host = get_host(request.param)
    return remove_site(host.structure(host.orders[-1]), 5)


@pytest.fixture(scope="module")
def vectors():
    cell = get_host("cofe2o4").structure()
    tilted = [[0.1 * m, -0.2 * m, m] for m in cell.site_properties["magmom"]]
    cell.add_site_property("magmom", tilted)
    return cell


def same(first, second):
    assert [s.specie.symbol for s in first] == [s.specie.symbol for s in second]
    assert np.allclose(first.lattice.parameters, second.lattice.parameters, atol=1e-7)
    assert np.allclose(first.distance_matrix, second.distance_matrix, atol=1e-6)
    assert first.site_properties["sublattice"] == second.site_properties["sublattice"]
    for name in ("valence", "magmom"):
        assert np.allclose(first.site_properties[name], second.site_properties[name], atol=1e-8)


@pytest.mark.parametrize("ending", FORMATS)
def test_collinear_moments_come_back(collinear, ending, tmp_path):
    for file in write_structure(collinear, tmp_path / f"x{ending}"):
        assert file.exists()
    again = read_structure(tmp_path / f"x{ending}")
    same(collinear, again)
    assert total_moment(again) == pytest.approx(total_moment(collinear))


@pytest.mark.parametrize("ending", FORMATS)
def test_vector_moments_come_back(vectors, ending, tmp_path):
    write_structure(vectors, tmp_path / f"x{ending}")
    again = read_structure(tmp_path / f"x{ending}")
    same(vectors, again)
    assert np.shape(again.site_properties["magmom"]) == (56, 3)
    # 24 muB of Neel's order, tilted by (0.1, -0.2, 1)
    assert total_moment(again) == pytest.approx(24 * np.sqrt(1.05))


def test_other_programs_read_the_files(collinear, tmp_path):
    for ending in (".cif", ".vasp"):
        write_structure(collinear, tmp_path / f"x{ending}")
        assert Structure.from_file(tmp_path / f"x{ending}").composition == collinear.composition
    assert np.allclose(Incar.from_str(magmom_line(collinear))["MAGMOM"], collinear.site_properties["magmom"])


def test_what_cannot_be_kept_is_refused(collinear, tmp_path):
    with pytest.raises(ValueError, match=r"known endings: \.json"):
        write_structure(collinear, tmp_path / "x.pdb")
    blank = collinear.copy()
    blank.add_site_property("sublattice", ["T up"] * len(blank))
    with pytest.raises(ValueError, match="single words"):
        write_structure(blank, tmp_path / "x.extxyz")
    for name in ("#1", "_T", "loop_", "T\u00e4t", ""):
        blank.add_site_property("sublattice", [name] * len(blank))
        with pytest.raises(ValueError, match="single words of ASCII"):
            write_structure(blank, tmp_path / "x.cif")
    write_structure(collinear, tmp_path / "x.vasp")
    (tmp_path / "x.magmom").write_text("MAGMOM = 1 2 3\n")
    with pytest.raises(ValueError, match="the file beside it"):
        read_structure(tmp_path / "x.vasp")


@pytest.mark.parametrize("name", ["T'", "1", "F", "1e5", "true", "16d", "a=b", "A#2"])
@pytest.mark.parametrize("ending", FORMATS)
def test_names_that_look_like_something_else_come_back(vectors, name, ending, tmp_path):
    cell = Structure.from_sites(vectors[:4])
    cell.add_site_property("sublattice", [name, "O", name, "B"])
    write_structure(cell, tmp_path / f"x{ending}")
    assert read_structure(tmp_path / f"x{ending}").site_properties["sublattice"] == [name, "O", name, "B"]


def test_left_handed_cells(vectors, tmp_path):
    """A POSCAR would come back inverted, and with it the direction of every field; the other formats keep the cell."""
    a, b, c = vectors.lattice.matrix
    symbols, coords = [s.specie.symbol for s in vectors], vectors.frac_coords[:, [1, 0, 2]]
    cell = Structure([b, a, c], symbols, coords, site_properties=vectors.site_properties)
    for ending in FORMATS:
        if ending == ".vasp":
            with pytest.raises(ValueError, match="left-handed"):
                write_structure(cell, tmp_path / "x.vasp")
            continue
        write_structure(cell, tmp_path / f"x{ending}")
        again = read_structure(tmp_path / f"x{ending}")
        assert np.allclose(again.cart_coords, cell.cart_coords)
        same(cell, again)
