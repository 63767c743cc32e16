"""Interstitials beside vacancies: D of both in closed form, the minimum between them, and where the hops come from."""

import math

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.defects.brouwer import BrouwerCurve, BrouwerDiagram
from magnetoionics.analysis.defects.charged_cells import ChargedVacancies, ChargedVacancy
from magnetoionics.analysis.defects.equilibria import DefectEquilibria
from magnetoionics.analysis.kinetics.hop_set import HopSet
from magnetoionics.analysis.kinetics.network import DistinctHop, network_of
from magnetoionics.analysis.report.transport_section import transport_section
from magnetoionics.analysis.report.vacancy_answer import vacancy_answer
from magnetoionics.analysis.study.diffusion import tracer_diffusion
from magnetoionics.analysis.study.documents import EnergyRange
from magnetoionics.analysis.study.interstitial_diffusion import interstitial_diffusion
from magnetoionics.analysis.study.tracer import total_log10_D, with_tracer
from magnetoionics.analysis.study.transport import transport_in_words, transport_of
from magnetoionics.analysis.thermodynamics.gases import gas_of
from magnetoionics.analysis.thermodynamics.oxygen_gas import delta_mu_O_eV
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB
from magnetoionics.workflows.flows.interstitial_hops import inserted_hops, ion_from, ion_of_hop

T = 1473.0
MU = delta_mu_O_eV(T, 1.0)


def ends(at_one_atm_eV, slope):
    def at(x):
        value = at_one_atm_eV + slope * (x - MU)
        return EnergyRange(delta_mu_O_eV=x, low_eV=value, high_eV=value)

    return {"oxygen_poor": at(-2.6), "oxygen_rich": at(-1.2)}


@pytest.fixture(scope="module")
def hops():
    """Octahedra of the unrelaxed Imma cell, all hops of one height."""
    cell = get_host("cofe2o4").structure("Imma")
    found, _ = inserted_hops(supercell(cell, (1, 1, 1)), "Co", 2.0)
    return cell, [h for h in found if h.pushed is None]


@pytest.fixture(scope="module")
def network(hops):
    cell, found = hops
    plain = []
    for n, h in enumerate(found):
        step = np.array(h.displacement_A)
        start = h.initial[h.mover].coords
        ends = ("i(16c)", "i(16c)")
        plain.append(DistinctHop(f"{h.from_sublattice}{n}", start, step, 0.6, 0.6, step, 2 * step, ends=ends))
    return network_of(cell, plain, ion="Co", carrier="ion")


@pytest.fixture(scope="module")
def study(network):
    """V_Fe(B) costs 1.3 eV at 1 atm and falls by 4/3 of the oxygen potential; Co_i costs 4.2 eV and rises by 4/3."""
    kept = kept_study()
    hop = kept.migration[0]
    vacancies = [v.model_copy(update=ends(1.3, -4 / 3)) if v.label == hop.vacancy else v for v in kept.vacancies]
    extra = {"label": "Co_i(16c)", "element": "Co", "removed": {"Co": -1}} | ends(3.2, 4 / 3)
    observed = HopSet(
        host="cofe2o4", formula="CoFe2O4", order="Imma", engine="x", migrations=[hop], absent=[], networks=[network]
    )
    return kept.model_copy(
        update={
            "vacancies": [*vacancies, vacancies[0].model_copy(update=extra)],
            "observables": {"interstitial hops": observed},
        }
    )


def test_empty_octahedra_of_a_spinel_are_joined_like_its_filled_ones(hops, network):
    """16c is a pyrochlore lattice as 16d is: 16 places and 48 pairs in the cube, a sqrt(2)/4 apart."""
    cell, found = hops
    assert sum(h.multiplicity for h in found) == 48
    assert all(h.distance_A == pytest.approx(cell.volume ** (1 / 3) * math.sqrt(2) / 4, rel=0.02) for h in found)
    assert all(any(label.startswith("tetrahedron") for label in h.intermediate_labels) for h in found)
    assert (len(network.sites), len(network.hops)) == (16, 48)
    assert {p.barrier_eV for p in network.percolation} == {0.6}


def test_interstitials_carry_their_share_without_correlation(study, network):
    """D* = n_i/n_Co z k d^2/6: 16 places, 8 Co and six neighbours in the cube."""
    found = interstitial_diffusion(study, network, T, 1e-3)
    mu = delta_mu_O_eV(T, 1e-3)
    share = math.exp(-(3.2 + 4 / 3 * (mu - MU)) / (KB * T))
    assert found.site_fraction == pytest.approx(share, rel=1e-9)
    length = np.mean([np.linalg.norm(h.displacement_A) for h in network.hops])
    k = 1e13 * math.exp(-0.6 / (KB * T))
    assert found.diffusivity_cm2_per_s == pytest.approx(share * 16 / 8 * k * length**2 * 1e-16, rel=0.02, abs=0)
    assert found.correlation == 1


def test_both_branches_make_the_measured_shape(study):
    """+2/3 where vacancies carry, -2/3 where interstitials do, and the minimum where both are equal."""
    found = with_tracer(transport_of(study.migration[0], study.host.structure), study)
    total = total_log10_D(found.tracer, found.interstitials)
    a, d = np.array(total).T
    slopes = np.diff(d) / np.diff(a)
    assert slopes[0] == pytest.approx(2 / 3, abs=0.01)
    assert slopes[-1] == pytest.approx(-2 / 3, abs=0.01)
    one, other = (np.array([t.log10_D for t in part]) for part in (found.tracer, found.interstitials))
    assert a[np.argmin(d)] == pytest.approx(a[np.argmin(np.abs(one - other))], abs=1)
    (beside,) = found.beside
    assert beside.log10_computed == pytest.approx(d)
    # Both branches have 2/3, so that they cross at 3/4 of the difference of what they have at 1 atm.
    crossing = 0.75 * (found.interstitials[0].log10_D - found.tracer[0].log10_D)
    assert beside.minimum_computed == pytest.approx(crossing, abs=0.03)
    assert beside.low_slope_computed == pytest.approx(-2 / 3, abs=0.01)
    assert beside.low_slope_measured == pytest.approx(-2 / 3, abs=0.01)
    (said,) = [line for line in transport_in_words(found) if "minimum" in line]
    assert f"minimum at log a = {crossing:.1f} (-4.3 measured)" in said
    assert "rms between 10^-8 and 10^0 atm, slope +0.67 at the high end (+0.67 measured) and -0.67 at the low" in said
    assert found.plot("tracer") is not None


def test_charged_interstitials_count_where_the_study_has_them(study):
    """Co_i'' and two electrons, [Co_i] = (K/4)^(1/3): D falls with a^(-2/9); those that sit elsewhere do not hop."""
    found = with_tracer(transport_of(study.migration[0], study.host.structure), study).interstitials
    neutral = np.array([t.site_fraction for t in found])
    per_cm3 = 16 / study.host.structure.volume * 1e24
    whole = (neutral / 4) ** (1 / 3) * per_cm3
    hop = study.migration[0]
    elsewhere = ("Co_i(8b)", "Co_i(Co(B)<110>)")
    curves = [
        BrouwerCurve.model_construct(label=label, charge=None, per_cm3=(share * whole).tolist())
        for label, share in (("Co_i(16c)", 1.0), *((label, 5.0) for label in elsewhere), (hop.vacancy, 1e-6))
    ]
    states = [
        ChargedVacancy.model_construct(label=label, removed={"Co": -1}, charge=2) for label in ("Co_i(16c)", *elsewhere)
    ]
    holds = [True] * len(found)
    diagram = BrouwerDiagram.model_construct(curves=curves, inside=holds, dilute=holds)
    counted = study.model_copy(
        update={
            "defects": DefectEquilibria.model_construct(diffusion=diagram),
            "charged": ChargedVacancies.model_construct(states=states),
        }
    )
    charged = with_tracer(transport_of(hop, study.host.structure), counted).interstitials
    assert all(t.charges for t in charged)
    for one, other, share in zip(charged, found, neutral, strict=True):
        ratio = one.diffusivity_cm2_per_s / other.diffusivity_cm2_per_s
        assert ratio == pytest.approx((share / 4) ** (1 / 3) / share, rel=1e-6)
    slopes = np.diff([t.log10_D for t in charged]) / np.diff(np.log10([t.p_O2_atm for t in charged]))
    assert slopes == pytest.approx(np.full(len(charged) - 1, -2 / 9), abs=0.01)
    assert not any("neutral ones only" in n for n in charged[0].left_out)
    assert any("neutral ones only" in n for n in found[0].left_out)


def test_neutral_interstitials_that_sit_elsewhere_do_not_hop(study, network):
    """A dumbbell that is lower by far changes nothing at 16c; where no place has a name of its own, that is said."""
    own = next(v for v in study.vacancies if v.label == "Co_i(16c)")
    easy = own.model_copy(update={"label": "Co_i(Co(B)<110>)"} | ends(1.0, 4 / 3))
    both = study.model_copy(update={"vacancies": [*study.vacancies, easy]})
    found, alone = (interstitial_diffusion(one, network, T, 1e-3) for one in (both, study))
    assert found.diffusivity_cm2_per_s == alone.diffusivity_cm2_per_s
    assert not any("stand for" in line for line in alone.left_out)
    nameless = network.model_copy(update={"sites": [s.model_copy(update={"label": "i(x)"}) for s in network.sites]})
    assert any("Co_i(16c) stand for" in line for line in interstitial_diffusion(study, nameless, T, 1e-3).left_out)


def test_what_is_missing_is_said(study, network):
    bare = study.model_copy(update={"vacancies": [v for v in study.vacancies if v.removed != {"Co": -1}]})
    with pytest.raises(ValueError, match=r"--defects 'Co2\+_i'"):
        interstitial_diffusion(bare, network, T, 1.0)
    found = with_tracer(transport_of(bare.migration[0], bare.host.structure), bare)
    assert found.interstitials == []
    assert any("no diffusion by interstitials" in note for note in found.notes)
    many = study.model_copy(
        update={
            "vacancies": [
                v.model_copy(update=ends(-0.2, 4 / 3)) if v.removed == {"Co": -1} else v for v in study.vacancies
            ]
        }
    )
    assert "not dilute" in interstitial_diffusion(many, network, T, 1.0).reason


def test_the_ion_is_read_or_that_of_the_host():
    assert ion_from("Co2+") == ("Co", 2.0)
    assert ion_from("Li+") == ("Li", 1.0)
    assert ion_from("O2-") == ("O", -2.0)
    with pytest.raises(ValueError, match=r"e\.g\. Li"):
        ion_from("Co")
    host = get_host("cofe2o4")
    assert ion_of_hop(host, host.structure("Imma")) == ("Co", 2.0)


def test_an_interstitial_is_no_vacancy(study):
    """However easily it forms, it is no answer to which vacancy does."""
    easy = [
        v.model_copy(update=ends(0.1, 4 / 3)) if v.removed == {"Co": -1} else v.model_copy(update=ends(2.0, -4 / 3))
        for v in study.vacancies
    ]
    said = vacancy_answer(study.model_copy(update={"vacancies": easy}))
    assert "Co_i" not in said.short + said.detail
    assert "V_" in said.short


def test_pressures_are_those_of_the_anion_s_gas(study, network):
    """In a sulfide tracer and interstitial stand against S2, whose potential is another function of T and p."""
    window = study.chemical_potentials.window.model_copy(update={"elements": ["Co", "Fe", "S"]})
    sulfide = study.model_copy(
        update={"chemical_potentials": study.chemical_potentials.model_copy(update={"window": window})}
    )
    mu = gas_of("S").delta_mu_eV(T, 1e-3)
    assert mu != pytest.approx(delta_mu_O_eV(T, 1e-3), abs=0.05)
    for found in (interstitial_diffusion(sulfide, network, T, 1e-3), tracer_diffusion(sulfide, T, 1e-3)[0]):
        assert (found.gas, found.delta_mu_O_eV) == ("S2", pytest.approx(mu))
    made = with_tracer(transport_of(sulfide.migration[0], sulfide.host.structure), sulfide)
    heads = [head for table in transport_section(made).tables for head in table.columns]
    assert "p(S₂) (atm)" in heads
    assert "S$_2$" in made.plot("tracer").axes[0].get_xlabel()
