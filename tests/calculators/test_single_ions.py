"""Single-ion models beyond Co2+: d6 multiplet, S = 5/2, temperature, restriction, and Slonczewski's closed form."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.calculators.d_shell import d_shell
from magnetoionics.calculators.ligand_field import LigandFieldModel, LigandFieldParameters, angular_overlap
from magnetoionics.calculators.parameter_sources import SOURCES, sources_line
from magnetoionics.calculators.single_ions import (
    SingleIonParameters,
    ions_within,
    open_shell_sites,
    restriction_error_eV,
    s_state_ions,
    single_ion_map,
)
from magnetoionics.calculators.spin_hamiltonian import (
    FerricParameters,
    ferric_energies,
    spin_matrices,
    zero_field_hamiltonian,
)
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import single_ion_anisotropy
from magnetoionics.workflows.jobs.outputs import function_of
from slonczewski import slonczewski_energies, slonczewski_k1_eV

OCTAHEDRON = 2.1 * np.vstack([np.eye(3), -np.eye(3)])
TETRAHEDRON = 1.9 / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
PER_CM = 1.239841984e-4


def units(count, seed):
    v = np.random.default_rng(seed).normal(size=(count, 3))
    return v / np.linalg.norm(v, axis=1)[:, None]


def polarised_energies(bonds, n, p):
    """<n|H|n> of the fully polarised spin 5/2 in an octahedron, eV: the limit of a strong exchange field.

    An axial term b2 [S_L^2 - S(S+1)/3] gives b2 S (S - 1/2) (cos^2 - 1/3); the fourth-rank one
    (b4/60) 8 S (S - 1/2)(S - 1)(S - 3/2) P4(cos), with the sum of P4 over six bonds 7/2.
    """
    total = np.zeros(len(n))
    for bond in bonds:
        distance = np.linalg.norm(bond)
        c2 = (n @ bond / distance) ** 2
        total += p.b2_per_cm * (p.reference_distance_A / distance) ** p.b2_exponent * 5 * (c2 - 1 / 3)
        total += p.a_octahedron_per_cm / 7 / 60 * 7.5 * (35 * c2**2 - 30 * c2 + 3)
    return PER_CM * total


def test_spin_matrices_are_a_spin():
    sx, sy, sz = spin_matrices()
    assert np.allclose(sx @ sy - sy @ sx, 1j * sz, atol=1e-12)
    assert np.allclose(sx @ sx + sy @ sy + sz @ sz, 8.75 * np.eye(6), atol=1e-12)


@pytest.mark.parametrize(("bonds", "a"), [(OCTAHEDRON, 205e-4), (TETRAHEDRON, 62e-4)])
def test_cubic_splitting_of_s_state_is_3a_with_the_doublet_below(bonds, a):
    levels = np.linalg.eigvalsh(zero_field_hamiltonian(bonds)) / PER_CM
    assert np.allclose(levels, a * np.array([-2, -2, 1, 1, 1, 1]), atol=1e-9)


def test_octahedral_field_is_the_cubic_spin_hamiltonian():
    a = 205e-4 * PER_CM
    s = spin_matrices()
    square = 8.75
    expected = a / 6 * (sum(x @ x @ x @ x for x in s) - square * (3 * square - 1) / 5 * np.eye(6))
    assert np.allclose(zero_field_hamiltonian(OCTAHEDRON), expected, atol=1e-15)


def test_axial_distortion_gives_newman_s_d():
    p = FerricParameters(a_octahedron_per_cm=0.0)
    stretched = OCTAHEDRON * np.array([1, 1, 1.05])
    # b20 = sum of b2(r) P2: two ligands along z count twice what the four others take away.
    d = 2 * p.b2_per_cm * ((2.101 / 2.205) ** 8 - (2.101 / 2.1) ** 8)
    sz = spin_matrices()[2]
    assert np.allclose(zero_field_hamiltonian(stretched, p) / PER_CM, d * (sz @ sz - 8.75 / 3 * np.eye(6)), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_strong_exchange_gives_the_polarised_state_and_time_reversal_holds(seed):
    rng = np.random.default_rng(seed)
    bonds, n = OCTAHEDRON + rng.normal(0, 0.1, (6, 3)), units(12, seed)
    strong = replace(FerricParameters(), exchange_eV=1e3)
    energies = ferric_energies(bonds, n, strong) + 2.5e3
    assert np.abs(energies - polarised_energies(bonds, n, strong)).max() * 1e3 < 1e-6
    forth, back = (ferric_energies(bonds, sign * n) for sign in (1, -1))
    assert np.abs(forth - back).max() * 1e3 < 1e-9


def test_ferric_refusals():
    with pytest.raises(ValueError, match="length"):
        ferric_energies(OCTAHEDRON, [[0, 0, 0]])
    with pytest.raises(ValueError, match="at least 3"):
        ferric_energies(OCTAHEDRON[:2], [[0, 0, 1]])
    with pytest.raises(ValueError, match="negative"):
        ferric_energies(OCTAHEDRON, [[0, 0, 1]], temperature_K=-1)


def test_entropy_at_high_temperature_is_that_of_six_levels():
    hot = 1e7
    free = ferric_energies(OCTAHEDRON, [[0, 0, 1]], temperature_K=hot)[0]
    assert free / (8.617333262e-5 * hot) == pytest.approx(-np.log(6), abs=1e-6)


def test_ground_term_of_d6_is_5d_with_25_states():
    shell = d_shell(6)
    assert shell.size == 210
    energies, vectors = np.linalg.eigh(shell.coulomb(0.1, 0.44))
    assert np.ptp(energies[:25]) < 1e-10
    assert energies[25] - energies[24] > 1
    for operator, value in ((shell.spin, 6.0), (shell.orbital, 6.0)):
        square = sum(x @ x for x in operator)
        assert np.allclose(vectors[:, :25].conj().T @ square @ vectors[:, :25], value * np.eye(25), atol=1e-9)


def test_d6_in_the_octahedron_has_5t2g_below_5eg_by_10dq():
    p = replace(SingleIonParameters().ferrous, zeta_eV=0.0)
    levels = LigandFieldModel(p, 6).levels(angular_overlap(OCTAHEDRON, p))
    levels -= levels[0]
    # 5T2g: 15 states; 5Eg: 10 states 10Dq above. Other spins may lie between.
    assert np.ptp(levels[:15]) < 1e-9
    ten_dq = 3 * p.e_sigma_eV - 4 * p.e_pi_eV
    assert np.sum(np.abs(levels - ten_dq) < 1e-8) >= 10


def test_certified_low_levels_of_d6_are_those_of_full_diagonalisation():
    p = SingleIonParameters().ferrous
    field = angular_overlap(OCTAHEDRON + np.random.default_rng(3).normal(0, 0.1, (6, 3)), p)
    n = units(6, 4)
    model = LigandFieldModel(p, 6)
    fast = model.ground_energies([field], n)[0]
    full = np.array([model.levels(field, d)[0] for d in n])
    assert np.abs(fast - full).max() < 1e-11
    back = model.ground_energies([field], -n)[0]
    assert np.abs(fast - back).max() * 1e3 < 1e-9


def test_slonczewski_closed_form():
    for temperature, k1 in ((0, 16.605), (100, 5.757), (200, 1.669), (300, 0.6243), (600, 0.0918)):
        assert 1e3 * slonczewski_k1_eV(temperature_K=temperature) == pytest.approx(k1, rel=6e-4)


def test_d7_in_a_trigonal_doublet_follows_slonczewski():
    """Weak spin-orbit coupling on an orbital doublet gives E(n) = const - X |n.m|, the closed form at 0 K."""
    p = LigandFieldParameters(zeta_eV=0.002)
    axis = np.ones(3) / np.sqrt(3)
    # A trigonal l = 2 field whose sign puts the doublet of 4T1g lowest; it is far larger than the coupling.
    from magnetoionics.calculators.crystal_field import quadrupole_field

    def model_at(angles, sign):
        side = np.array([1, -1, 0]) / np.sqrt(2)
        n = np.cos(angles)[:, None] * axis + np.sin(angles)[:, None] * side
        gradient = sign * 3.0 * (3 * np.outer(axis, axis) - np.eye(3))
        field = angular_overlap(OCTAHEDRON, p) + quadrupole_field(gradient, p)
        return n, LigandFieldModel(p).ground_energies([field], n)[0]

    angles = np.radians([0, 20, 40, 60, 75, 90])
    spans = {sign: np.ptp(model_at(angles, sign)[1]) for sign in (1, -1)}
    n, energies = model_at(angles, max(spans, key=spans.get))
    closed = slonczewski_energies(n, [axis], coupling_eV=energies[-1] - energies[0])[0]
    assert np.abs((energies - energies[-1]) - closed).max() < 0.05 * np.ptp(energies)


def test_populations_lower_the_anisotropy_of_cobalt():
    atoms = to_atoms(get_host("cofe2o4").structure("Imma"))
    cobalt = [i for i, s in enumerate(atoms.get_chemical_symbols()) if s == "Co"][:1]
    n = np.vstack([np.eye(3), np.ones((1, 3))])
    spans = [
        np.ptp(single_ion_map(atoms, atoms.arrays["valence"], n, sites=cobalt, temperature_K=t).total_eV)
        for t in (0, 100, 300, 600)
    ]
    assert spans == sorted(spans, reverse=True)


@pytest.mark.parametrize(("host", "names"), [("life5o8", "20 Fe3+"), ("gamma_fe2o3", "64 Fe3+")])
def test_ferric_hosts_have_maps_without_cobalt(host, names):
    cell = get_host(host).structure()
    atoms = to_atoms(cell)
    n = lebedev_directions(5).vectors
    found = single_ion_map(atoms, atoms.arrays["valence"], n)
    assert found.names == names
    assert not found.left_out
    back = single_ion_map(atoms, atoms.arrays["valence"], -n)
    assert np.abs(found.energies_eV - back.energies_eV).max() * 1e3 < 1e-9
    assert np.ptp(found.total_eV) > 1e-6


def test_lithium_ferrite_has_easy_diagonals_as_measured():
    """Cubic symmetry of P4_332 comes out of the sum over ions; measured K1 is negative, about -1e4 J/m^3."""
    cell = get_host("life5o8").structure()
    atoms = to_atoms(cell)
    n = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]], dtype=float)
    e = 1e3 * single_ion_map(atoms, atoms.arrays["valence"], n).total_eV
    assert np.ptp(e[:3]) < 1e-6
    k1 = 4 * (e[3] - e[0]) / cell.volume * 160.2176634
    assert -0.1 < k1 < -0.002


def test_mixed_valence_host_sums_two_kinds_of_ions():
    cell = get_host("fe3o4").structure()
    atoms = to_atoms(cell)
    known, _ = open_shell_sites(atoms)
    one_of_each = [next(i for i, s in known.items() if s == ("Fe", v)) for v in (2, 3)]
    found = single_ion_map(atoms, atoms.arrays["valence"], np.eye(3), sites=one_of_each)
    assert found.names == "1 Fe2+, 1 Fe3+"
    # Fe2+ has an orbital moment in 5T2g, Fe3+ has none.
    spans = np.ptp(found.energies_eV, axis=1)
    assert spans[found.species.index(("Fe", 2))] > 3 * spans[found.species.index(("Fe", 3))]


def test_restriction_error_is_the_anisotropy_left_out():
    cell = get_host("life5o8").structure()
    index = next(i for i, s in enumerate(cell) if s.specie.symbol == "Li")
    near = cell[index].frac_coords
    atoms = to_atoms(remove_site(cell, index))
    charges = atoms.arrays["valence"]
    inside = ions_within(atoms, near, 4.0)
    some = single_ion_map(atoms, charges, np.eye(3), sites=inside)
    everything = single_ion_map(atoms, charges, np.eye(3))
    assert 0 < len(some.sites) < len(everything.sites)
    missed = everything.total_eV - some.total_eV
    assert np.ptp(missed) <= restriction_error_eV(atoms, charges, inside) + 1e-12
    assert restriction_error_eV(atoms, charges, range(len(atoms))) == 0
    with pytest.raises(ValueError, match="radius"):
        ions_within(atoms, near, 0)


def test_ions_without_a_model_are_named():
    atoms = to_atoms(get_host("nife2o4").structure())
    nickel = [i for i, s in enumerate(atoms.get_chemical_symbols()) if s == "Ni"]
    atoms.arrays["valence"][nickel] = 3.0
    known, others = open_shell_sites(atoms)
    assert set(known.values()) == {("Fe", 3)}
    assert others == {"Ni3+": 8}
    with pytest.raises(ValueError, match="no ion"):
        single_ion_map(atoms, atoms.arrays["valence"], np.eye(3), sites=nickel)


def test_iron_among_fluorine_has_no_model_of_oxygen():
    """The superposition of Fe3+ is fitted to oxygen: beside other anions it is an ion without a model, not an error."""
    atoms = to_atoms(get_host("cofe2o4").structure())
    fluorine = [i for i, s in enumerate(atoms.get_chemical_symbols()) if s == "O"]
    atoms.symbols[fluorine] = "F"
    known, others = open_shell_sites(atoms)
    assert set(known.values()) == {("Co", 2)}
    assert others == {"Fe3+ among other anions than oxygen": 16}
    atoms.symbols[fluorine[0]] = "O"
    assert open_shell_sites(atoms)[1] == others


def test_parameters_survive_json():
    changed = replace(SingleIonParameters(), ferric=FerricParameters(b2_per_cm=-0.3))
    assert SingleIonParameters.from_dict(changed.as_dict()) == changed


def engine_map(**options):
    from jobflow import JobStore
    from jobflow.managers.local import run_locally
    from maggma.stores import MemoryStore
    from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
    from magnetoionics.workflows.engines.local import LocalEngine

    cell = get_host("life5o8").structure()
    directions = lebedev_directions(5).vectors.tolist()
    made = LocalEngine(**options).spin_orbit(cell, directions=directions, state="x", name="E(n)", near=[0, 0, 0])
    found = run_locally(made, store=JobStore(MemoryStore()), log=False)
    return AnisotropyMap.model_validate(found[made.uuid][1].output)


def test_engine_takes_a_temperature_and_a_radius_and_shows_the_error():
    cold, warm, near = engine_map(), engine_map(temperature_K=500.0), engine_map(radius_A=4.0)
    assert cold.ions == "20 Fe3+"
    assert cold.restriction_error_meV is None
    assert 0 < np.ptp(warm.energies) < 0.8 * np.ptp(cold.energies)
    assert near.restriction_error_meV > 0
    assert near.ions != cold.ions
    assert "those left out vary by" in near.provenance.left_out[-1]


def test_every_number_has_a_source_a_mark_and_lies_in_its_range():
    parameters = SingleIonParameters()
    # Conventions, not numbers of nature.
    conventions = {"reference_distance_A", "ligand_cutoff_A", "n_states"}
    same_as_cobalt = {"distance_exponent", "exchange_eV", "shielding"}
    for ion in ("cobalt", "ferrous", "ferric"):
        values = {f.name: getattr(getattr(parameters, ion), f.name) for f in fields(getattr(parameters, ion))}
        known = {s.name: s for s in SOURCES if s.ion == ion}
        wanted = set(values) - conventions - (same_as_cobalt if ion == "ferrous" else set())
        assert set(known) == wanted
        for name, source in known.items():
            assert source.low <= values[name] <= source.high, name
            assert source.low < source.high
            assert source.source
    line = sources_line()
    assert line.index("read:") < line.index("a_tetrahedron_per_cm (ferric)") < line.index("secondary:")
    assert line.index("assumed:") < line.index("shielding (cobalt)")


def test_half_filled_4f_shells_add_nothing_and_are_said():
    """8S7/2 has no orbital moment; GdFeO3's map is that of its irons alone."""
    cell = get_host("lafeo3").structure()
    with_moment = cell.copy()
    with_moment.replace_species({"La": "Gd"})
    is_gd = [s.specie.symbol == "Gd" for s in with_moment]
    moments = [7.0 if gd else m for gd, m in zip(is_gd, cell.site_properties["magmom"], strict=True)]
    with_moment.add_site_property("magmom", moments)
    assert s_state_ions(to_atoms(with_moment)) == {"Gd3+": 4}
    assert open_shell_sites(to_atoms(with_moment))[1] == {}
    engine = get_engine("local")
    assert "S state (4f7" in engine.cannot_with(get_host("gd2o3").structure())["spin_orbit"]
    made = function_of(single_ion_anisotropy)(
        engine, with_moment, directions=[[0, 0, 1], [1, 0, 0], [0, 1, 0]], state="pristine"
    )
    assert any("4 Gd3+ in S states" in line for line in made.provenance.left_out)
    assert set(made.ions.split(", ")) == {"4 Fe3+"}
