"""Whole paths by first principles beside C8 and C12: which count, in which order, and what they decide."""

import pytest
from magnetoionics.analysis.audit import known_bands as module
from magnetoionics.analysis.audit import known_lithium_hop
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_bands import beside_cobalt_band, known_bands, largest_change_muB
from magnetoionics.analysis.audit.known_lithium_hop import beside_lithium_hop
from magnetoionics.analysis.results.calculation import Band, BandImage, Check
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations

KEPT = load_reference_calculations()["life56vli-dzp-k1"]
C8 = Judgement("contradicted", 0.84, "eV", "by ions", by="local")
C12 = Judgement("reproduced", 0.27, "eV", "by a potential", by="sevennet")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for one in (module, known_lithium_hop):
        monkeypatch.setattr(one, "reference_calculations_folder", lambda: tmp_path)
    known_lithium_hop.known_lithium_hops.cache_clear()
    yield tmp_path
    known_lithium_hop.known_lithium_hops.cache_clear()


def write(folder, head="life55band", u=4.0, energies=(0.0, 0.2, -0.3), moments=None, passed=True, charge=0.0):
    calculation = KEPT.calculation
    images = [
        BandImage(
            energy_eV=energy,
            arc_A=float(n),
            mover_A=float(n),
            dipole_e_A=[0.0, 0.0, 0.0],
            kind="saddle" if n == 1 else "end",
            structure=calculation.structure,
            site_moments_muB=(moments or {}).get(n, calculation.site_moments_muB),
        )
        for n, energy in enumerate(energies)
    ]
    provenance = calculation.provenance.model_copy(
        update={"hubbard_U_eV": {"Fe": u, "Co": 3.0}, "settings": {"charge": charge}}
    )
    band = Band(
        mover=0,
        images=images,
        dipole_source="point charges",
        force_calls=9,
        checks=[Check(name="saddle", value=0.1, limit=0.2, unit="eV/A", passed=passed)],
        not_checked=[],
        provenance=provenance,
    )
    name = f"{head}-dzp-k1-u{u:g}"
    update = {"name": name, "calculation": None, "band": band}
    (folder / f"{name}.json").write_text(KEPT.model_copy(update=update).model_dump_json())


def test_barriers_are_counted_from_either_end_and_u_is_that_of_the_cell(folder):
    for u in (5.3, 3.0):
        write(folder, u=u)
    first, second = known_bands("life55band")
    assert (first.forward_eV, first.back_eV) == (pytest.approx(0.2), pytest.approx(0.5))
    assert first.in_words == "U = Fe 3 eV: 0.20 eV in and 0.50 eV out"
    assert (second.hubbard_U_eV, second.cell_atoms) == ({"Fe": 5.3}, 55)


def test_a_band_whose_check_failed_is_not_shown(folder):
    write(folder, passed=False)
    assert known_bands("life55band") == []
    assert beside_lithium_hop(C12) is C12
    assert beside_cobalt_band(C8) is C8


def test_largest_change_is_of_one_ion_over_all_points():
    assert largest_change_muB([[4.0, -4.0], [4.1, -3.6], [3.9, -4.0]]) == pytest.approx(0.4)
    assert largest_change_muB([[4.0], []]) == float("inf")


def test_whole_paths_take_the_place_of_single_points_and_decide(folder):
    for u in (3.0, 4.0, 5.3):
        write(folder, u=u, energies=(0.0, 0.2, -0.1))
    said = beside_lithium_hop(C12)
    assert (said.verdict, said.value, said.by) == ("reproduced", pytest.approx(0.3), "gpaw (GPAW)")
    assert "its own climbing band with relaxed ends, U = Fe 3 eV" in said.reason
    # At one U electrons move on the way: two sets are left, which decide nothing.
    other = [0.5 * m for m in KEPT.calculation.site_moments_muB]
    write(folder, u=4.0, moments={1: other})
    said = beside_lithium_hop(C12)
    assert (said.value, said.by) == (0.27, "sevennet")
    assert "the moment of an ion changes on the way" in said.reason


def test_the_band_of_cobalt_stands_beside_and_says_its_charge(folder):
    write(folder, head="cfo55band", energies=(0.0, 0.9, 0.1), charge=-3.0)
    said = beside_cobalt_band(C8)
    assert (said.verdict, said.value, said.by) == (C8.verdict, C8.value, C8.by)
    assert "55 atoms with 3 more electrons" in said.reason
    assert "U = Fe 4 eV: 0.90 eV in and 0.80 eV out" in said.reason
    none = Judgement("not computed", None, "", "no hop", by="none")
    assert beside_cobalt_band(none) is none
