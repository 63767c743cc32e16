"""Quantum ESPRESSO as the other code: its inputs say what GPAW computed, its outputs are read in our units."""

import espresso_orders
import numpy as np
import pytest
from espresso_orders import RYDBERG_EV, folded, gap_eV, input_of, names, read, start_of
from magnetoionics.analysis.audit.first_principles import judged_orders
from magnetoionics.analysis.audit.known_orders import OrderGain, repeated_order_gains
from magnetoionics.analysis.study.reference_calculations import (
    espresso_calculations_folder,
    load_reference_calculations,
)

KEPT = load_reference_calculations(espresso_calculations_folder())
BANDS = """<r><output><band_structure><fermi_energy>0.25</fermi_energy>
<ks_energies><eigenvalues size="4">0.1 0.2 0.15 0.3</eigenvalues></ks_energies>
<ks_energies><eigenvalues size="4">0.1 0.21 0.15 {}</eigenvalues></ks_energies>
</band_structure></output></r>"""


def test_input_has_the_spins_and_u_of_the_cell(tmp_path):
    text = input_of("imma-espresso-k2-u44", tmp_path)
    # One kind for each element and sense: Fe on A against Fe on B, Co on B along the latter.
    starts = [float(line.split("=")[1]) for line in text.splitlines() if "starting_magnetization" in line]
    labels = [line.split()[0] for line in text.split("ATOMIC_SPECIES\n")[1].splitlines()[: len(starts)]]
    signs = dict(zip(labels, np.sign(starts), strict=True))
    assert signs == {"Co1": 1, "Fe1": -1, "Fe2": 1, "O1": 0}
    assert text.count("Hubbard_U(") == 3
    assert text.count("= 4.0\n") == 3
    rows = text.split("ATOMIC_POSITIONS crystal\n")[1].split("K_POINTS")[0].splitlines()
    cell = start_of("imma-espresso-k2-u44")
    assert np.allclose([[float(x) for x in row.split()[1:]] for row in rows], cell.frac_coords, atol=1e-9)
    for row, site in zip(rows, cell, strict=True):
        assert signs[row.split()[0]] == np.sign(site.properties["magmom"])
    # The hole of Co is put into one t2g orbital of the minority spin, whose number is that of Co.
    share = {line.split(" =")[0].strip(): float(line.split("=")[1]) for line in text.splitlines() if "ns_eigen" in line}
    assert sum(share.values()) == pytest.approx(2.4)
    assert share["starting_ns_eigenvalue(3,2,1)"] == 0.0
    for name in ("normal-espresso-k2-u00", "imma-espresso-k2-u00"):
        assert "lda_plus_u" not in input_of(name, tmp_path)
        assert "ns_eigen" not in input_of(name, tmp_path)


def test_energy_is_extrapolated_to_no_width_and_in_eV(tmp_path, monkeypatch):
    monkeypatch.setattr(espresso_orders, "gap_eV", lambda path: 1.0)
    name = "normal-espresso-k2"
    count = len(start_of(name))
    text = "     Program PWSCF v.6.7MaX starts\n" + "".join(
        f"     atom: {n}    charge:  7.0    magn: {n:.4f}    constr:  0.0\n" for n in range(1, count + 1)
    )
    text += (
        "!    total energy              =    -100.00000000 Ry\n     smearing contrib. (-TS)   =      -0.20000000 Ry\n"
    )
    text += "     total magnetization       =    14.00 Bohr mag/cell\n     PWSCF        :  1m 2.50s CPU  1h 2m WALL\n"
    (tmp_path / f"{name}.out").write_text(text)
    assert read(tmp_path, name) is None
    text += "     convergence has been achieved in 20 iterations\n   JOB DONE.\n"
    (tmp_path / f"{name}.out").write_text(text)
    found = read(tmp_path, name)
    # Half of -TS is taken off the free energy: of energy and free energy the mean.
    assert found.calculation.energy_eV == pytest.approx(-99.9 * RYDBERG_EV)
    assert found.calculation.site_moments_muB == [float(n) for n in range(1, count + 1)]
    assert (found.cpu_seconds, found.wall_seconds) == (62.5, 3720.0)
    assert found.provenance.hubbard_U_eV == {"Co": 3.32, "Fe": 5.3}


def test_gap_spans_both_spins_and_is_none_where_a_band_crosses_the_fermi_level(tmp_path):
    path = tmp_path / "schema.xml"
    path.write_text(BANDS.format("0.4"))
    # The highest filled state is of the first spin and the second k-point, the lowest empty one of the other spin.
    assert gap_eV(path) == pytest.approx((0.3 - 0.21) * 2 * RYDBERG_EV)
    path.write_text(BANDS.format("0.24"))
    assert gap_eV(path) == 0.0


def test_long_lines_are_folded_without_a_change_of_their_numbers():
    numbers = " ".join(f"{0.1 * n:.17f}" for n in range(40))
    text = f'<A one="1 2" two="3"/>\n{numbers}\n'
    short = folded(text)
    assert max(map(len, short.splitlines())) <= 100
    assert short.split() == text.split()
    assert '"1 2"' in short


@pytest.mark.parametrize("name", sorted(KEPT))
def test_kept_state_is_that_of_gpaw(name):
    order, u = names()[name]
    here = KEPT[name].calculation
    there = load_reference_calculations()["-".join([order, "pw500", "k2", *([u] if u else []), "relaxed"])].calculation
    assert np.allclose(here.structure.frac_coords, there.structure.frac_coords)
    assert here.total_moment_muB == pytest.approx(there.total_moment_muB, abs=0.02)
    # Spheres differ, so moments of ions do by some tenths; a Co3+ or Fe2+ would differ by a whole one.
    assert np.allclose(here.site_moments_muB, there.site_moments_muB, atol=0.4)
    assert here.gap_eV == pytest.approx(there.gap_eV, abs=0.7)


def test_another_code_is_named_with_its_difference():
    def gain(value, engine):
        return OrderGain(
            order="Imma", hubbard_U_eV={"Co": 4.0}, gain_eV_per_formula=value, engine=engine, cell_atoms=14, source=""
        )

    said = judged_orders([gain(0.07, "gpaw")], [gain(0.12, "gpaw"), gain(0.04, "Quantum ESPRESSO")]).reason
    assert "in atomic orbitals (dzp) instead of plane waves: U = Co 4 eV: Imma 0.120 eV/f.u. below" in said
    assert "at most 0.050 eV/f.u. apart. The same cells by Quantum ESPRESSO" in said
    assert "Imma 0.040 eV/f.u. below the normal order; at most 0.030 eV/f.u. apart" in said


def test_gains_of_the_other_code_are_differences_of_its_energies():
    again = [g for g in repeated_order_gains("cofe2o4") if g.engine == "Quantum ESPRESSO"]
    assert repeated_order_gains("life5o8") == []
    for found in again:
        normal, imma = (
            KEPT[name.removeprefix("data/espresso/").removesuffix(".json")].calculation.energy_eV
            for name in found.source.split(", ")
        )
        assert found.gain_eV_per_formula == pytest.approx((normal - imma) / 2, abs=1e-9)
