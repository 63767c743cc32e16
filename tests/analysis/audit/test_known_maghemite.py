"""Lithium in maghemite: the sign and size of a voltage, moments by mass, where iron is, and what decides C15."""

import maghemite_cells
import pytest
from magnetoionics.analysis.audit import known_maghemite as module
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_maghemite import (
    beside_maghemite,
    known_maghemite,
    lithium_metal_eV,
    lithium_steps,
    lowest_of,
    mesh_error_V,
    potential_voltages,
)
from magnetoionics.analysis.results.checks import Check
from magnetoionics.analysis.study.reference_calculations import (
    StartGeometry,
    load_reference_calculations,
    starts_folder,
)

KEPT = load_reference_calculations()["life56-dzp-k1"]
OWN = Judgement("undecided", 0.5, "Li per Fe2O3", "counted", by="local")
METAL_eV = -2.0
SETS = (3.0, 4.0, 5.3)
# Neel's moment of eight Fe2O3 in Bohr magnetons, and one less for each electron on B.
BARE_muB = 20.0


@pytest.fixture(scope="module")
def cells():
    return {start: maghemite_cells.maghemite_cells(start)[-1] for start in maghemite_cells.STARTS}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    monkeypatch.setattr(module, "starts_folder", lambda: tmp_path / "starts")
    cached = (known_maghemite, lithium_metal_eV, potential_voltages)
    for each in cached:
        each.cache_clear()
    yield tmp_path
    for each in cached:
        each.cache_clear()


def write(folder, name, cell, u, energy, moment, checks=(), force_calls=9, mesh=(1, 1, 1)):
    """A calculation whose iron moments are those of its start, the first of B reduced by one for each lithium."""
    moments = list(cell.site_properties["magmom"])
    reduced = int(cell.composition["Li"]) if cell.composition["Fe"] else 0
    for i in [i for i, s in enumerate(cell) if s.properties["sublattice"] == "B" and s.specie.symbol == "Fe"][:reduced]:
        moments[i] -= 1.0
    provenance = KEPT.calculation.provenance.model_copy(
        update={"hubbard_U_eV": {"Fe": u}, "settings": {"k_mesh": list(mesh)}}
    )
    made = KEPT.calculation.model_copy(
        update={
            "name": name,
            "structure": cell,
            "energy_eV": energy,
            "total_moment_muB": moment,
            "site_moments_muB": moments,
            "checks": list(checks),
            "force_calls": force_calls,
            "provenance": provenance,
        }
    )
    text = KEPT.model_copy(update={"name": name, "calculation": made}).model_dump_json()
    (folder / f"{name}-u{u:g}-{mesh[0]}.json").write_text(text)


def complete(folder, cells, u, volts=(1.5, 1.1), moment=12.0, **settings):
    """Voltages of both steps; at half a lithium iron stays on A, at a whole one it has moved."""
    half = -100.0 + 4 * METAL_eV - 4 * volts[0]
    write(folder, "limetal-dzp-k12", maghemite_cells.lithium(), u, METAL_eV, 0.0)
    write(folder, "magh-dzp-k1", cells["magh"], u, -100.0, BARE_muB, **settings)
    write(folder, "magh4-dzp-k1", cells["magh4"], u, half, 16.0, **settings)
    write(folder, "magh4moved-dzp-k1", cells["magh4moved"], u, half + 0.8, 16.0, **settings)
    write(folder, "magh8moved-dzp-k1", cells["magh8moved"], u, half + 4 * METAL_eV - 4 * volts[1], moment, **settings)


def denser(folder, cells, u, volts):
    write(folder, "magh-dzp-k211", cells["magh"], u, -101.0, BARE_muB, mesh=(2, 1, 1))
    write(folder, "magh4-dzp-k211", cells["magh4"], u, -101.0 + 4 * METAL_eV - 4 * volts, 16.0, mesh=(2, 1, 1))


def test_lithium_that_lowers_the_energy_has_a_positive_voltage(folder, cells):
    complete(folder, cells, 4.0)
    first, second, whole = lithium_steps(known_maghemite(), lithium_metal_eV())
    assert [(s.before, s.after) for s in (first, second, whole)] == [(0.0, 0.5), (0.5, 1.0), (0.0, 1.0)]
    assert [s.voltage_V for s in (first, second, whole)] == pytest.approx([1.5, 1.1, 1.3])
    assert [s.moment_change_muB for s in (first, second, whole)] == pytest.approx([-0.5, -0.5, -1.0])
    # 5585 Am2/mol for each Bohr magneton, 159.69 g/mol, and 6.94 g/mol more for the lithium.
    assert whole.specific_change_Am2_per_kg == pytest.approx(5585 * (1.5 / 166.63 - 2.5 / 159.69), abs=0.1)


def test_lithium_metal_costs_what_one_of_its_atoms_costs(folder, cells):
    """Whatever the number of atoms in the cell of the metal."""
    metal = maghemite_cells.lithium() * (2, 1, 1)
    write(folder, "limetal", metal, 4.0, 2 * METAL_eV, 0.0)
    assert lithium_metal_eV() == pytest.approx(METAL_eV)


def test_a_voltage_that_rises_with_lithium_is_called_so(folder, cells):
    """A content above the line between its neighbours falls apart into them: voltages of phases fall with lithium."""
    complete(folder, cells, 4.0, volts=(1.9, 1.1))
    assert "the voltage rises" not in beside_maghemite(OWN).reason
    known_maghemite.cache_clear()
    complete(folder, cells, 4.0, volts=(1.1, 1.9))
    said = beside_maghemite(OWN).reason
    assert "the voltage rises with lithium" in said
    assert "in the one cell computed, with all of it in octahedra" in said


def test_a_set_of_u_with_one_content_is_not_mentioned(folder, cells):
    complete(folder, cells, 4.0)
    before = beside_maghemite(OWN).reason
    assert "U = 4 eV 0 to 0.5 Li +1.50 V" in before
    write(folder, "magh-dzp-k1-u33", cells["magh"], 3.0, -100.0, BARE_muB)
    for each in (known_maghemite, lithium_metal_eV):
        each.cache_clear()
    assert beside_maghemite(OWN).reason == before


def test_the_lowest_of_each_content_speaks_and_iron_is_where_its_oxygens_are(folder, cells):
    complete(folder, cells, 4.0)
    bare, half, whole = lowest_of(known_maghemite()).values()
    assert (bare.moved, half.moved, whole.moved) == (0.0, 0.0, 1.0)
    assert (half.reduced, whole.reduced) == ({"B": 0.5}, {"B": 1.0})
    assert not whole.moved_along
    write(folder, "magh4some-dzp-k1", cells["magh4some"], 4.0, half.energy_eV * 8 - 0.4, 16.0)
    known_maghemite.cache_clear()
    some = lowest_of(known_maghemite())[0.5]
    assert some.moved == pytest.approx(1 / 3)
    assert lithium_steps(known_maghemite(), METAL_eV)[0].voltage_V == pytest.approx(1.6)
    lost = Check(name="moments kept", passed=False, value=0.1, limit=0.5, must_be="above", invalidates=True)
    write(folder, "magh4some-dzp-k1", cells["magh4some"], 4.0, half.energy_eV * 8 - 0.4, 16.0, checks=[lost])
    known_maghemite.cache_clear()
    assert lowest_of(known_maghemite())[0.5].moved == 0.0


def test_a_denser_mesh_says_what_a_voltage_is_worth(folder, cells):
    complete(folder, cells, 5.3)
    assert mesh_error_V(known_maghemite(), METAL_eV) is None
    denser(folder, cells, 5.3, 1.42)
    known_maghemite.cache_clear()
    assert mesh_error_V(known_maghemite(), METAL_eV) == pytest.approx(0.08)
    # It says how good the others are and is no state of its own.
    assert lowest_of(known_maghemite())[0.0].energy_eV == pytest.approx(-12.5)


@pytest.mark.parametrize(
    ("sets", "volts", "moment", "verdict"),
    [
        (SETS, (1.5, 1.1), 12.0, "reproduced"),
        (SETS[:2], (1.5, 1.1), 12.0, "undecided"),
        (SETS, (1.5, 0.05), 12.0, "undecided"),
        (SETS, (-1.5, -1.1), 12.0, "contradicted"),
        (SETS, (1.5, 1.1), BARE_muB, "contradicted"),
    ],
)
def test_three_sets_of_u_decide_beyond_the_error_of_the_mesh(folder, cells, sets, volts, moment, verdict):
    for u in sets:
        complete(folder, cells, u, volts, moment)
    denser(folder, cells, sets[0], volts[0] - 0.08)
    said = beside_maghemite(OWN)
    assert (said.verdict, said.by) == (verdict, "gpaw (GPAW)")
    assert said.value == pytest.approx(sum(volts) / 2)
    assert said.reason.endswith("; counted")


def test_sets_of_u_that_change_the_moment_both_ways_decide_nothing(folder, cells):
    for u, moment in zip(SETS, (12.0, 12.0, 28.0), strict=True):
        complete(folder, cells, u, moment=moment)
    denser(folder, cells, SETS[0], 1.45)
    assert beside_maghemite(OWN).verdict == "undecided"


def test_ions_of_another_engine_decide_nothing(folder, cells):
    for u in SETS:
        complete(folder, cells, u, force_calls=1)
    denser(folder, cells, SETS[0], 1.45)
    said = beside_maghemite(OWN)
    assert said.verdict == "undecided"
    assert "by a potential" in said.reason
    assert "for U = 3 eV 0 to 0.5 Li +1.50 V" in said.reason
    assert (
        "0.5 Li lowest with iron on A (meV per Fe2O3 above: with all of it in octahedra, against B +100)" in said.reason
    )


def test_nothing_shipped_changes_nothing(folder, cells):
    assert beside_maghemite(OWN) is OWN
    write(folder, "magh-dzp-k1", cells["magh"], 4.0, -100.0, BARE_muB)
    assert beside_maghemite(OWN) is OWN


def test_a_potential_is_quoted_by_its_lowest_cells_and_decides_nothing(folder, cells):
    (folder / "starts").mkdir()
    grown = cells["magh8moved"].copy()
    grown.scale_lattice(1.1 * grown.volume)
    kept = {
        "limetal": (maghemite_cells.lithium(), METAL_eV),
        "magh": (cells["magh"], -100.0),
        "magh4": (cells["magh4"], -114.0),
        "magh4some": (cells["magh4some"], -116.0),
        "magh8moved": (grown, -132.0 + 0.8),
    }
    for name, (cell, energy) in kept.items():
        start = StartGeometry(name=name, structure=cell, energy_eV=energy, provenance=KEPT.provenance)
        (folder / "starts" / f"{name}.json").write_text(start.model_dump_json())
    first, second = potential_voltages()
    assert [(v.before, v.after) for v in (first, second)] == [(0.0, 0.5), (0.5, 1.0)]
    assert [v.voltage_V for v in (first, second)] == pytest.approx([2.0, 1.8])
    assert [v.moved for v in (first, second)] == pytest.approx([1 / 3, 1.0])
    assert [v.volume_change for v in (first, second)] == pytest.approx([0.0, 0.1])
    said = beside_maghemite(OWN)
    assert (said.verdict, said.value, said.by) == ("undecided", 0.5, "local")
    assert "0 to 0.5 Li +2.00 V" in said.reason


def test_kept_cells_are_what_their_names_say():
    for start, (lithium, _) in maghemite_cells.STARTS.items():
        path = starts_folder() / f"{start}.json"
        if path.exists():
            cell = StartGeometry.model_validate_json(path.read_text()).structure
            assert cell.composition["Li"] == lithium
            assert maghemite_cells.stayed(cell, start)


def test_cells_hold_whole_ions_on_the_places_that_their_names_say(cells):
    for start, (lithium, moved) in maghemite_cells.STARTS.items():
        cell = cells[start]
        counts = (cell.composition[e] for e in ("Fe", "O", "Li"))
        assert tuple(counts) == (16, 24, lithium)
        assert sum(cell.site_properties["valence"]) == pytest.approx(0)
        iron = [s.properties["sublattice"] for s in cell if s.specie.symbol == "Fe"]
        assert {key: iron.count(key) for key in "ABC"} == {"A": 6 - moved, "B": 10, "C": moved}
        assert maghemite_cells.stayed(cell, start)
        # Neel: ten up and six down, wherever the six are; twelve muB more for two that turn.
        assert sum(cell.site_properties["magmom"]) == BARE_muB
        turned = maghemite_cells.with_moved_along(cell)
        assert sum(turned.site_properties["magmom"]) == BARE_muB + 10.0 * moved
    rock_salt = cells["magh8moved"]
    assert {s.properties["sublattice"] for s in rock_salt if s.specie.symbol == "Li"} == {"B", "C"}
    # Every cation of rock salt has six oxygens, every oxygen six cations.
    assert {len(rock_salt.get_neighbors(s, 2.5)) for s in rock_salt} == {6}
    assert not maghemite_cells.stayed(rock_salt, "magh8some")
