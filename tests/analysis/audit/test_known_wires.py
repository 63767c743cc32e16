"""Channels of chains of one atom: what the shipped calculations say of C19 and C20."""

import pytest
from magnetoionics.analysis.audit import devices, known_wires
from magnetoionics.analysis.audit.known_wires import WireChannels


def wire(element, up, down, along, across):
    return WireChannels(
        element=element, spacing_A=2.18, points=60, up=up, down=down, along=along, across=across, source="wire"
    )


def test_more_channels_across_are_a_higher_resistance_along():
    made = wire("Ni", 1, 6, 6, 7)
    assert made.quanta == pytest.approx(3.5)
    assert made.resistance_change == pytest.approx(1 / 6)


def test_claims_name_the_chains(monkeypatch):
    for module in (devices, known_wires):
        monkeypatch.setattr(module, "known_wires", lambda: (wire("Ni", 1, 6, 6, 7), wire("Co", 1, 6, 7, 7)))
    tilted, quantum = devices.CLOSED_FORMS["C19"](), devices.CLOSED_FORMS["C20"]()
    assert "Ni at 2.18 A 6 along, 7 across: R +17%; Co at 2.18 A 7 along, 7 across: R +0%" in tilted.reason
    assert "between neighbouring ones of 60 k-points would be missed" in tilted.reason
    assert tilted.value == pytest.approx(1 / 6)
    assert (tilted.verdict, tilted.by) == ("undecided", "gpaw (GPAW)")
    assert "Ni at 2.18 A 1 + 6, 3.5 of 2 e2/h" in quantum.reason
    assert quantum.verdict == "contradicted"


def test_without_chains_closed_forms_speak(monkeypatch):
    for module in (devices, known_wires):
        monkeypatch.setattr(module, "known_wires", lambda: ())
    assert devices.CLOSED_FORMS["C19"]().value is None
    assert devices.CLOSED_FORMS["C19"]().reason.startswith("R = R_perp")
    assert devices.CLOSED_FORMS["C20"]().reason.endswith("(arXiv:cond-mat/0309622)")


def test_shipped_chain_of_nickel_has_one_channel_of_s_and_six_of_d():
    """Without coupling: one s channel for each spin and d channels of the minority alone, arXiv:cond-mat/0405433."""
    shipped = {(w.element, w.spacing_A): w for w in known_wires.known_wires()}
    nickel = shipped["Ni", 2.18]
    assert (nickel.up, nickel.down) == (1, 6)
    assert nickel.along != nickel.across
