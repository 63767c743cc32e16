"""A gap of ZnO between metals: what the shipped calculations say of C18."""

import math

import pytest
from magnetoionics.analysis.audit import devices
from magnetoionics.analysis.audit import known_gaps as module
from magnetoionics.analysis.audit.known_gaps import GapDecay, MetalStates, densest


def metal(element, up, down, points=16):
    return MetalStates(element=element, points=points, up_per_eV=up, down_per_eV=down, moment_muB=1.0, source="states")


def gap(middle_per_A):
    return GapDecay(
        hubbard_U_eV={}, gap_eV=0.8, shares_of_gap=[0.1, 0.5], decay_per_A=[0.0, middle_per_A], source="gap"
    )


def shipped(monkeypatch, metals, decays):
    for place in (devices, module):
        monkeypatch.setattr(place, "known_metals", lambda: metals)
    monkeypatch.setattr(module, "known_decays", lambda: decays)


def test_the_majority_is_positive_and_the_coarser_mesh_is_the_error():
    coarse, dense = metal("Fe", 0.8, 0.2), metal("Fe", 0.75, 0.25, points=24)
    assert dense.polarisation == pytest.approx(0.5)
    best, error = densest([coarse, dense])["Fe"]
    assert best is dense
    assert error == pytest.approx(0.1)
    assert math.isnan(densest([coarse])["Fe"][1])


def test_c18_has_the_ratio_of_the_densities_and_says_what_tunnels_otherwise(monkeypatch):
    shipped(monkeypatch, (metal("Co", 0.2, 0.8), metal("Fe", 0.75, 0.25)), (gap(0.1),))
    judged = devices.CLOSED_FORMS["C18"]()
    assert (judged.verdict, judged.by) == ("undecided", "gpaw (GPAW)")
    assert judged.value == pytest.approx(2 * -0.6 * 0.5 / (1 + 0.6 * 0.5))
    assert "polarised by Co -0.60, Fe +0.50 (+ is the majority), which makes Julliere's ratio -0.46" in judged.reason
    assert f"0.5 nm pass {math.exp(-2 * 0.1 * 5):.1e}" in judged.reason


def test_without_calculations_the_closed_form_speaks(monkeypatch):
    shipped(monkeypatch, (), ())
    judged = devices.CLOSED_FORMS["C18"]()
    assert judged.value is None
    assert judged.by == "closed form"
    assert judged.reason.endswith("The polarisations at the gap need densities of states")


def test_shipped_metals_are_those_of_the_literature():
    """Majority d states of Co and Ni lie below the Fermi level, those of iron reach it."""
    of = {element: metal for element, (metal, _) in densest(module.known_metals()).items()}
    assert of["Fe"].polarisation > 0.3
    assert of["Co"].polarisation < -0.5
    assert of["Ni"].polarisation < -0.6
    moments = {"Fe": 2.22, "Co": 1.6, "Ni": 0.62}
    for element, measured_muB in moments.items():
        assert of[element].moment_muB == pytest.approx(measured_muB, abs=0.08)


def test_shipped_gaps_decay_faster_the_wider_they_are():
    decays = module.known_decays()
    assert [d.middle_per_A for d in decays] == sorted(d.middle_per_A for d in decays)
    narrow = decays[0]
    assert narrow.gap_eV == pytest.approx(0.75, abs=0.1)  # PBE's well-known gap of ZnO
    # Two bands of one mass in the middle of the gap: kappa^2 = 2 m (gap/4)/hbar^2, with PBE's mass of 0.14 to 0.2.
    mass = narrow.middle_per_A**2 / (0.262468 * narrow.gap_eV / 4)
    assert 0.12 < mass < 0.22
