"""The table of mechanisms: which are odd in n, and the numbers that a study puts into it."""

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.audit.mechanisms import INTERFACE_J_PER_m2, answer, mechanisms
from magnetoionics.analysis.device.film import FilmAssumptions, device_result
from magnetoionics.analysis.kinetics.switching import FieldPulse
from magnetoionics.analysis.magnetism.grain import GrainState, magnetisation_A_per_m
from magnetoionics.analysis.report import sections
from magnetoionics.analysis.report.device_tables import grain_table


@pytest.fixture(scope="module")
def study():
    return kept_study()


def grain(state, coercive_T):
    return GrainState(
        state=state, easy_axis=[0, 0, 1], barrier_MJ_per_m3=0.2, stability=45.0, crystal_MJ_per_m3=0.1,
        shape_MJ_per_m3=0.1, strain_MJ_per_m3=None, switching_0K_T=2.0, coercive_T=coercive_T,
    )  # fmt: skip


def test_every_row_says_whether_it_is_odd_and_what_tells(study):
    found = {m.name: m for m in mechanisms(study)}
    assert len(found) == 15
    assert all(m.odd and m.size and m.needs and m.tells and m.evidence for m in found.values())
    # What was never seen anywhere says so; what was seen names where.
    assert all(m.evidence.startswith(("none", "symmetry", "C3")) or "(" in m.evidence for m in found.values())
    odd = {name for name, m in found.items() if m.odd.startswith("yes")}
    # Time reversal: of a relaxed state alone nothing is odd; what is needs something frozen, a tip or no inversion.
    assert "change of the even part of E(n)" not in odd
    assert {"exchange h to a pinned part", "chiral D to a pinned part", "frozen inclusions, e.g. CoO"} <= odd
    # Only D is both odd and reversed by the hop back.
    assert [n for n in odd if found[n].reversed_by_hop.startswith("yes")] == ["chiral D to a pinned part"]
    assert "zero" in found["linear magnetoelectric effect"].size
    assert "C3" in found["charge trapped under the tip"].size


def test_what_was_not_computed_is_no_evidence(study):
    bare = {m.name: m for m in mechanisms(study.model_copy(update={"device": None}))}
    bias = bare["fixed bias with a coercive field that ions change"]
    assert bias.evidence.startswith("computed here")
    assert bias.evidence_of_study.startswith("coercive field of mesoporous")
    assert bare["change of the even part of E(n)"].evidence_of_study.startswith("computed here")


def test_sizes_are_those_of_the_study(study):
    before, after = grain("before", 0.7), grain("after", 0.3)
    maps = tuple(m for m in study.anisotropy.maps if m.state in ("before", "after"))
    device = device_result(study.migration[0], FilmAssumptions(), FieldPulse(), maps=maps)
    device = device.model_copy(update={"grains": [before, after]})
    found = {m.name: m for m in mechanisms(study.model_copy(update={"device": device}))}
    assert f"{study.unidirectional.easy_axis_tilt_deg:.1f}" in found["change of the even part of E(n)"].size
    assert "0.7 T before the hop and 0.3 T after" in found["fixed bias with a coercive field that ions change"].size
    assert "45 before" in found["heat in the tip's field"].size
    # B = J / (M t), W. H. Meiklejohn and C. P. Bean.
    m = magnetisation_A_per_m(study.host.moment_per_formula_muB, study.host.volume_per_formula_A3)
    assert f"{INTERFACE_J_PER_m2[1] / (m * device.film.thickness_m):.2g} T" in found["frozen inclusions, e.g. CoO"].size
    # -(3/2)(-590e-6)(257 - 150) GPa per strain.
    assert "0.095 MJ/m3" in found["strain and the elastic dipole of the hop"].size
    sums = {s.state: np.array(s.keffer_A2) for s in study.unidirectional.states if s.keffer_A2}
    assert f"{np.linalg.norm(sums['after'] - sums['before']):.2g} A2" in found["chiral D to a pinned part"].size
    assert "0.7 T before the hop" in answer(study.model_copy(update={"device": device}))
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in grain_table(device, cubic=True).rows}
    assert shown["coercive field at the film's temperature and sweep (T)"] == ["7.00e-01", "3.00e-01"]
    assert shown["strain: normal less plane (MJ/m³)"] == ["–", "–"]


def test_the_page_has_the_table(study):
    section = sections._mechanisms(study)
    assert len(section.tables[0].rows) == 15
    assert sections._mechanisms(study.model_copy(update={"unidirectional": None})) is None


def test_the_page_of_limits_has_the_same_table(study, repository):
    page = (repository / "docs" / "limits.md").read_text(encoding="utf-8")
    for m in mechanisms(study):
        assert f"| {m.name} | {m.odd} | {m.reversed_by_hop} | {m.needs} | {m.tells} | {m.evidence} |" in page
