"""What is handed to simulators is what they read: Spirit's energies, TB2J's own files, stiffness in closed form."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.exchange import bonds_from_table, heisenberg_energy_meV
from magnetoionics.analysis.magnetism.film_files import FilmMesh, mumax3_files, ubermag_files
from magnetoionics.analysis.magnetism.material_constants import MaterialConstants, film_axes, material_constants, mixed
from magnetoionics.analysis.magnetism.spin_files import spirit_files, uppasd_files, vampire_files
from magnetoionics.analysis.magnetism.spin_model import (
    SpinAnisotropy,
    exchange_stiffness_J_per_m,
    ion_anisotropies,
    spin_model,
)
from magnetoionics.analysis.magnetism.tb2j import read_tb2j
from magnetoionics.analysis.magnetism.vector_files import ovf_text
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.host import get_host
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

TB2J = Path(__file__).parents[2] / "data" / "tb2j"
MEV_J = 1.602176634e-22
RY_meV = 13605.693122994
TURN = Rotation.from_euler("zyx", [25, -40, 15], degrees=True).as_matrix()


def lattice(kind, a=2.5, j=10.0):
    places = {"sc": [[0, 0, 0]], "bcc": [[0, 0, 0], [0.5] * 3]}
    places["fcc"] = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    n = len(places[kind])
    cell = Structure(
        Lattice.cubic(a), ["Fe"] * n, places[kind], site_properties={"magmom": [2.0] * n, "sublattice": ["A"] * n}
    )
    return spin_model(cell, bonds_from_table(cell, {("Fe(A)", "Fe(A)"): j}))


@pytest.mark.parametrize(("kind", "factor"), [("sc", 0.5), ("bcc", 1.0), ("fcc", 2.0)])
def test_stiffness_of_cubic_lattices_is_the_textbook_s(kind, factor):
    """A = factor J/a with J of unit vectors, each pair once."""
    found = exchange_stiffness_J_per_m(lattice(kind))
    assert np.allclose(found, np.eye(3) * factor * 10.0 * MEV_J / 2.5e-10, atol=1e-18)


def test_bonds_in_a_row_are_springs_in_series():
    """A chain of alternating J: the phases between sublattices relax, 1/J = 1/J1 + 1/J2; its antiferromagnet too."""
    for sign in (1.0, -1.0):
        cell = Structure(
            Lattice.orthorhombic(20, 20, 5.0),
            ["Fe", "Co"],
            [[0, 0, 0], [0, 0, 0.4]],
            site_properties={"magmom": [2.0, 2.0 * sign], "sublattice": ["A", "A"]},
        )
        bonds = bonds_from_table(cell, {("Fe(A)", "Co(A)"): 1.0}, cutoff_A=3.1)
        lengths = spin_model(cell, bonds).vectors_A[:, 2]
        bonds = bonds.model_copy(update={"J_meV": [sign * (8.0 if abs(z) < 2.5 else 2.0) for z in lengths]})
        found = exchange_stiffness_J_per_m(spin_model(cell, bonds))
        assert found[2, 2] == pytest.approx(5.0**2 / (2 * 2000.0) / (1 / 8 + 1 / 2) * MEV_J / 1e-10, abs=0)


def test_an_order_that_couplings_do_not_hold_has_no_stiffness():
    with pytest.raises(ValueError, match="no exchange stiffness"):
        exchange_stiffness_J_per_m(lattice("bcc", j=-10.0))


def test_a_spiral_below_sublattices_that_hold_has_no_stiffness():
    """Bcc with 10 meV to the 8 nearest and j to the 6 next ones: A = (10 + j)/a, below zero from j = -10 meV on."""
    cell = Structure(
        Lattice.cubic(2.5),
        ["Fe", "Co"],
        [[0, 0, 0], [0.5] * 3],
        site_properties={"magmom": [2.0, 2.0], "sublattice": ["A", "A"]},
    )

    def stiffness(j):
        near = bonds_from_table(cell, {("Fe(A)", "Co(A)"): 10.0})
        far = bonds_from_table(cell, {("Fe(A)", "Fe(A)"): j, ("Co(A)", "Co(A)"): j})
        parts = {name: [*getattr(near, name), *getattr(far, name)] for name in ("pairs", "J_meV", "images")}
        return exchange_stiffness_J_per_m(spin_model(cell, near.model_copy(update=parts)))

    assert np.allclose(stiffness(-9.0), np.eye(3) * 1.0 * MEV_J / 2.5e-10, rtol=1e-6, atol=1e-18)
    with pytest.raises(ValueError, match="no exchange stiffness"):
        stiffness(-11.0)


def ferrite():
    cell = get_host("cofe2o4").structure("Imma")
    bonds = bonds_from_table(cell, {("Fe(A)", "Fe(B)"): -26.0, ("Fe(A)", "Co(B)"): -22.7, ("Co(B)", "Co(B)"): 15.0})
    rng = np.random.default_rng(5)
    own = [SpinAnisotropy(axis / np.linalg.norm(axis), *rng.normal(size=2), 0.0) for axis in rng.normal(size=(24, 3))]
    model = spin_model(cell, bonds, own)
    return replace(model, D_meV=rng.normal(size=model.D_meV.shape))


def test_energy_without_chirality_is_heisenberg_s():
    model = replace(ferrite(), anisotropies=None)
    spins = np.random.default_rng(1).normal(size=(24, 3))
    flat = replace(model, D_meV=0 * model.D_meV)
    assert flat.energy_meV(spins) == pytest.approx(heisenberg_energy_meV(flat.bonds(), spins))
    assert model.energy_meV(spins) != pytest.approx(flat.energy_meV(spins))


def test_spirit_finds_our_energies(tmp_path, monkeypatch):
    """J, D with its sign, axes and cubic terms, and images: differences of energies of random spins."""
    spirit = pytest.importorskip("spirit.state")
    system = pytest.importorskip("spirit.system")
    monkeypatch.chdir(tmp_path)
    model = ferrite()
    for name, text in spirit_files(model, 0.0).items():
        Path(name).write_text(text.replace("n_basis_cells 8 8 8", "n_basis_cells 2 1 1"))
    rng = np.random.default_rng(2)
    ours, theirs = [], []
    with spirit.State("spirit.cfg", quiet=True) as state:
        directions = system.get_spin_directions(state)
        for _ in range(4):
            spins = rng.normal(size=(24, 3))
            spins /= np.linalg.norm(spins, axis=1, keepdims=True)
            directions[:] = np.concatenate([spins, spins])
            system.update_data(state)
            ours.append(model.energy_meV(spins))
            theirs.append(system.get_energy(state) / 2)
    # Spirit's cubic term has another zero.
    assert np.ptp(ours) > 50
    assert np.allclose(np.diff(ours), np.diff(theirs), atol=2e-3)


def test_spirit_reads_our_fields(tmp_path, monkeypatch):
    spirit = pytest.importorskip("spirit.state")
    system, io = pytest.importorskip("spirit.system"), pytest.importorskip("spirit.io")
    monkeypatch.chdir(tmp_path)
    field = np.random.default_rng(3).normal(size=(3, 4, 2, 3))
    field /= np.linalg.norm(field, axis=3, keepdims=True)
    Path("m.ovf").write_text(ovf_text(field, (1e-9, 1e-9, 2e-9), "m", "1"))
    Path("x.cfg").write_text("bravais_lattice sc\nn_basis_cells 3 4 2\nhamiltonian heisenberg_pairs\n")
    with spirit.State("x.cfg", quiet=True) as state:
        io.image_read(state, "m.ovf")
        found = np.array(system.get_spin_directions(state)).reshape(2, 4, 3, 3).transpose(2, 1, 0, 3)
    assert np.allclose(found, field, atol=1e-6)


def test_field_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="has the shape"):
        ovf_text(np.zeros((3, 3)), (1e-9,) * 3, "m", "1")
    with pytest.raises(ValueError, match="finite"):
        ovf_text(np.full((1, 1, 1), np.nan), (1e-9,) * 3, "m", "1")


def interactions(text):
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if line.split()[1:] == ["tensorial"])
    rows = [line.split() for line in lines[at + 1 :]]
    return {tuple(map(int, row[1:6])): np.array(row[6:], dtype=float) for row in rows if row}


def test_couplings_of_tb2j_become_its_own_vampire_file():
    """Both files were written by TB2J 0.9.22 from J = -6.5, 2.25, 1.5 meV in its way of counting."""
    model = read_tb2j(TB2J)
    assert model.J_meV.tolist() == pytest.approx([-13.0, 4.5, 1.5, 1.5])
    assert model.D_meV[0].tolist() == pytest.approx([0.6, -1.4, 2.2])
    assert model.moments_muB.tolist() == pytest.approx([2.4, -2.1])
    ours, theirs = (
        interactions(vampire_files(model, 300.0)["vampire.ucf"]),
        interactions((TB2J / "vampire.ucf").read_text()),
    )
    assert set(ours) == set(theirs)
    assert all(np.allclose(ours[k], theirs[k], rtol=1e-4, atol=1e-27) for k in ours)


def test_a_cut_file_of_tb2j_is_refused(tmp_path):
    text = (TB2J / "exchange.out").read_text()
    (tmp_path / "exchange.out").write_text(text.replace("-6.5000   (-0.900", "-6.6000   (-0.900"))
    with pytest.raises(ValueError, match="other end disagree"):
        read_tb2j(tmp_path)
    (tmp_path / "exchange.out").write_text("nothing")
    with pytest.raises(ValueError, match="names no cell"):
        read_tb2j(tmp_path / "exchange.out")
    with pytest.raises(ValueError, match="there is no"):
        read_tb2j(tmp_path / "other")


def test_vampire_s_materials_hold_every_spin():
    model = ferrite()
    files = vampire_files(model, 300.0)
    rows = [line.split() for line in files["vampire.ucf"].splitlines()]
    atoms = [row for row in rows if len(row) == 7 and "." in row[1] and row[5] == "0"]
    blocks = files["vampire.mat"].split("-" * 40)[1:]
    for atom, moment, own in zip(atoms, model.moments_muB, model.anisotropies, strict=True):
        said = dict(re.findall(r"\]:([a-z-]+)=(\S+)", blocks[int(atom[4])]))
        sense = float(said["initial-spin-direction"].split(",")[2])
        assert sense * float(said["atomic-spin-moment"]) == pytest.approx(moment)
        assert float(said["second-order-uniaxial-anisotropy-constant"]) == pytest.approx(
            own.uniaxial_meV * MEV_J, rel=1e-4, abs=0
        )
        assert float(said["fourth-order-cubic-anisotropy-constant"]) == pytest.approx(
            own.cubic_meV * MEV_J, rel=1e-4, abs=0
        )


def test_vampire_gets_whole_cells_and_no_place_of_the_next_one():
    """It rounds the size up to whole cells, and cuts off what lies at 1.0: 13608 spins in place of 12288 once."""
    model = ferrite()
    places = model.places.copy()
    places[:3] = [[0.0, -1e-12, 0.25], [0.5, 0.25, 1.0 - 1e-12], [-0.25, 0.75, 0.0]]
    files = vampire_files(replace(model, places=places), 300.0)
    rows = [line.split() for line in files["vampire.ucf"].splitlines()]
    atoms = np.array([row[1:4] for row in rows if len(row) == 7 and "." in row[1] and row[5] == "0"], dtype=float)
    assert np.all((atoms >= 0) & (atoms < 1))
    moved = atoms - places
    assert np.allclose(moved, np.round(moved), atol=1e-9)
    # A bond leads to the same neighbour whichever cell its ends are written in.
    written = interactions(files["vampire.ucf"])
    firsts, seconds, cells = (np.array([k[a] for k in written]) for a in (0, 1, slice(2, 5)))
    vectors = atoms[seconds] + cells - atoms[firsts]
    bonds = replace(model, places=places).both_ways()[0]
    own = places[bonds[:, 1]] + bonds[:, 2:] - places[bonds[:, 0]]
    assert np.allclose(vectors, own, atol=1e-9)
    sizes = dict(re.findall(r"system-size-([xyz])=(\S+) !nm", files["input"]))
    lengths = np.linalg.norm(model.lattice_A, axis=1) / 10
    assert [int(np.ceil(float(sizes[axis]) / x)) for axis, x in zip("xyz", lengths, strict=True)] == [8, 8, 8]


def test_uppasd_counts_half_a_bond_from_either_end():
    model = replace(ferrite(), anisotropies=None)
    files = uppasd_files(model, 0.0)
    spins = np.random.default_rng(4).normal(size=(24, 3))
    spins /= np.linalg.norm(spins, axis=1, keepdims=True)
    energy = 0.0
    for name, term in (("jfile", lambda a, b, v: v[0] * (a @ b)), ("dmfile", lambda a, b, v: v @ np.cross(a, b))):
        for row in (line.split() for line in files[name].splitlines()):
            i, j = int(row[0]) - 1, int(row[1]) - 1
            energy -= term(spins[i], spins[j], np.array(row[5:], dtype=float)) * RY_meV / 1000
    assert energy == pytest.approx(model.energy_meV(spins), abs=1e-3)


def known_map(state="before", tensor=None, k1=0.4, k2=-0.9):
    n = lebedev_directions(15).vectors
    a, b, c = n.T**2
    tensor = TURN @ np.diag([0.7, 0.1, -0.8]) @ TURN.T if tensor is None else tensor
    energies = np.einsum("ni,ij,nj->n", n, tensor, n) + k1 * (a * b + b * c + c * a) + k2 * a * b * c
    return AnisotropyMap(
        state=state, directions=n.tolist(), energies_meV=(energies - energies.min()).tolist(), cell_volume_A3=500.0,
        formula_units=8.0, ions="all", provenance=Provenance(engine="x", level_of_theory="ASE"),
    )  # fmt: skip


def constants(map_, temperature_K=0.0):
    return material_constants(
        map_, magnetisation_A_per_m=4e5, exchange_J_per_m=9e-12, temperature_K=temperature_K, ordering_K=800.0
    )


def test_constants_give_the_energies_of_the_map_back():
    map_ = known_map()
    found = constants(map_)
    to_J = MEV_J / 500e-30
    assert found.left_out_J_per_m3 < 1e-6 * found.K1_J_per_m3
    assert found.K1_J_per_m3 == pytest.approx(0.4 * to_J)
    assert found.K2_J_per_m3 == pytest.approx(-0.9 * to_J)
    assert np.ptp(found.energy_J_per_m3(map_.vectors) - map_.energies * to_J) < 1e-6 * to_J
    (easy, u), (hard, v) = found.uniaxial
    assert easy == pytest.approx(0.9 * to_J)
    assert hard == pytest.approx(-0.6 * to_J)
    assert abs(u @ TURN[:, 2]) == pytest.approx(1.0)
    assert abs(v @ TURN[:, 0]) == pytest.approx(1.0)


def test_constants_fall_with_temperature_by_their_degree():
    cold, warm = constants(known_map()), constants(known_map(), 500.0)
    m = warm.order
    assert 0.7 < m < 0.9
    assert warm.magnetisation_A_per_m == pytest.approx(4e5 * m)
    assert warm.uniaxial[0][0] == pytest.approx(cold.uniaxial[0][0] * m**3)
    assert warm.K2_J_per_m3 == pytest.approx(cold.K2_J_per_m3 * m**21)
    with pytest.raises(ValueError, match="below T_C"):
        constants(known_map(), 900.0)


def test_a_film_turned_to_its_normal_keeps_its_energies():
    axes = film_axes([1, 1, 0])
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert np.allclose(axes @ np.array([1, 1, 0]) / np.sqrt(2), [0, 0, 1])
    assert np.allclose(axes[0], [0, 0, 1])
    found = constants(known_map())
    n = known_map().vectors
    assert np.allclose(found.turned(axes).energy_J_per_m3(n @ axes.T), found.energy_J_per_m3(n))


def film():
    before = constants(known_map())
    after = constants(known_map("after", np.diag([-0.5, 0.2, 0.3]), 0.1, 0.2))
    return [mixed(before, after, share).turned(film_axes([1, 1, 0])) for share in (0.0, 0.25, 1.0)], before, after


def test_energies_of_a_layer_lie_between_those_of_its_states():
    layers, before, after = film()
    n = known_map().vectors
    turned = n @ film_axes([1, 1, 0]).T
    half = 0.75 * before.energy_J_per_m3(n) + 0.25 * after.energy_J_per_m3(n)
    assert np.allclose(layers[1].energy_J_per_m3(turned), half)
    with pytest.raises(ValueError, match="from 0 to 1"):
        mixed(before, after, 1.2)


def said_in_mumax3(script, layer):
    """E(n) by what the script sets of a layer, as mumax3 defines its terms."""

    def number(name):
        return float(re.search(rf"{name}\.SetRegion\({layer}, ([^v].*?)\)$", script, re.M).group(1))

    def vector(name):
        found = re.search(rf"{name}\.SetRegion\({layer}, vector\((.*?)\)\)", script).group(1)
        return np.array(found.split(","), dtype=float)

    hard = np.array(re.search(rf"hard{layer} := ConstVector\((.*?)\)", script).group(1).split(","), dtype=float)
    field = float(re.search(rf"field{layer} := Masked\(Mul\(Const\((.*?)\)", script).group(1))
    weight = float(re.search(rf"AddEdensTerm\(Mul\(Const\((.*?)\), Dot\(field{layer}, m\)", script).group(1))
    c1, c2 = vector("AnisC1"), vector("AnisC2")

    def energy(n):
        a, b, c = (n @ np.array([c1, c2, np.cross(c1, c2)]).T).T ** 2
        uniaxial = -number("Ku1") * (n @ vector("AnisU")) ** 2 + weight * field * (n @ hard) ** 2
        return uniaxial + number("Kc1") * (a * b + b * c + c * a) + number("Kc2") * a * b * c

    return energy, number("Msat"), field


def test_mumax3_s_script_sets_the_energies_of_every_layer():
    layers, *_ = film()
    files = mumax3_files(layers, FilmMesh(2, (2e-9, 2e-9, 1e-9)))
    n = known_map().vectors
    for number, layer in enumerate(layers):
        energy, moment, field = said_in_mumax3(files["film.mx3"], number)
        assert np.ptp(energy(n) - layer.energy_J_per_m3(n)) < 1e-5 * np.ptp(layer.energy_J_per_m3(n))
        assert field == pytest.approx(2 * layer.uniaxial[1][0] / moment, rel=1e-5)
    assert "SetGridSize(2, 2, 3)" in files["film.mx3"]


def test_ubermag_s_fields_hold_every_layer():
    layers, *_ = film()
    files = ubermag_files(layers, FilmMesh(2, (2e-9, 2e-9, 1e-9)))
    rows = [line for line in files["K_easy_J_per_m3.ovf"].splitlines() if not line.startswith("#")]
    assert [float(rows[4 * k]) for k in range(3)] == pytest.approx([x.uniaxial[0][0] for x in layers])
    compile(files["film.py"], "film.py", "exec")
    assert all(f'field("{name[:-4]}")' in files["film.py"] for name in files if name.endswith(".ovf"))


def test_ions_keep_their_axis_and_cubic_term():
    n = lebedev_directions(15).vectors
    a, b, c = n.T**2
    rows = [-1.5 * (n @ TURN[0]) ** 2 + 0.2 * (a * b + b * c + c * a), 0.7 * (n @ TURN[1]) ** 2]
    map_ = known_map().model_copy(
        update={"ion_sites": [4, 9], "ion_energies_meV": [(row - row.min()).tolist() for row in rows]}
    )
    first, second, none = ion_anisotropies(map_, [4, 9, 7])
    assert first.uniaxial_meV == pytest.approx(1.5)
    assert abs(first.axis @ TURN[0]) == pytest.approx(1.0)
    assert first.cubic_meV == pytest.approx(0.2)
    assert second.uniaxial_meV == pytest.approx(-0.7)
    assert max(first.left_out_meV, second.left_out_meV) < 1e-9
    assert none.uniaxial_meV == 0
    assert isinstance(constants(map_), MaterialConstants)


def test_command_hands_a_study_over(tmp_path, kept_folder, capsys):
    from magnetoionics.hpc.cli import main

    for program, file in (("mumax3", "film.mx3"), ("vampire", "vampire.ucf"), ("oommf", "film.py")):
        out = tmp_path / program
        assert main(["export", str(kept_folder), "--to", program, "--output", str(out), "--shares", "0,1"]) == 0
        assert (out / file).is_file()
        assert "moments are those that were put in" in (out / "README.txt").read_text()
    assert main(["export", str(kept_folder), "--to", "mumax3", "--output", str(tmp_path / "x"), "--shares", "2"]) == 2
    assert main(["export", str(kept_folder), "--to", "nmag", "--output", str(tmp_path / "x")]) == 2
    assert "choose one of mumax3" in capsys.readouterr().err
    assert main(["export", str(TB2J), "--to", "spirit", "--output", str(tmp_path / "t")]) == 0
    assert main(["export", str(TB2J), "--to", "mumax3", "--output", str(tmp_path / "x")]) == 2


@pytest.fixture(scope="module")
def kept_folder(tmp_path_factory):
    from kept_study import kept_study

    folder = tmp_path_factory.mktemp("kept")
    kept_study().save(folder / "results.json")
    return folder
