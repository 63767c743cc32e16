"""Transport of a study's hop: closed forms, the field of a hop within a second, D beside a measurement."""

import json
import math

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.defects.binding import BindingSample, Effect, VacancyBinding
from magnetoionics.analysis.defects.brouwer import BrouwerCurve, BrouwerDiagram
from magnetoionics.analysis.defects.equilibria import DefectEquilibria
from magnetoionics.analysis.kinetics.diffusion import conductivity_S_per_cm, vacancy_correlation_factor
from magnetoionics.analysis.kinetics.switching import hop_in_field
from magnetoionics.analysis.kinetics.uniform_network import correlation_factor, uniform_network
from magnetoionics.analysis.report.transport_section import transport_section
from magnetoionics.analysis.results.checks import held
from magnetoionics.analysis.study.documents import EnergyRange
from magnetoionics.analysis.study.measured_diffusion import MEASURED, measured_for, place_of_minimum, rms_decades
from magnetoionics.analysis.study.tracer import with_tracer
from magnetoionics.analysis.study.transport import Transport, transport_in_words, transport_of
from magnetoionics.analysis.thermodynamics.oxygen_gas import delta_mu_O_eV
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB
from magnetoionics.workflows.flows.transport import transport_job
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="module")
def study():
    """The kept study, whose vacancy costs 1.5 eV at 1473 K and 1 atm and falls by 4/3 of the oxygen potential."""
    kept = kept_study()
    mu = delta_mu_O_eV(1473.0, 1.0)

    def at(x):
        value = 1.5 - 4 / 3 * (x - mu)
        return EnergyRange(delta_mu_O_eV=x, low_eV=value, high_eV=value)

    hop = kept.migration[0]
    vacancies = [
        v.model_copy(update={"oxygen_poor": at(-2.6), "oxygen_rich": at(-1.2)}) if v.label == hop.vacancy else v
        for v in kept.vacancies
    ]
    return kept.model_copy(update={"vacancies": vacancies})


@pytest.fixture(scope="module")
def found(study):
    return with_tracer(transport_of(study.migration[0], study.host.structure), study)


def test_a_hop_that_was_not_computed_gives_one_sentence(study):
    with pytest.raises(ValueError, match="the calculation of the hop failed"):
        transport_job.original(None, study.host.structure)


def cubic(basis, a=4.0):
    return Structure(Lattice.cubic(a), ["Cu"] * len(basis), basis, site_properties={"sublattice": ["B"] * len(basis)})


FCC = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
DIAMOND = [*FCC, *([x + 0.25, y + 0.25, z + 0.25] for x, y, z in FCC)]


@pytest.mark.parametrize(
    ("basis", "length", "right"),
    [
        (FCC, 2 * math.sqrt(2), 0.7815),
        ([[0, 0, 0], [0.5, 0.5, 0.5]], 2 * math.sqrt(3), 0.7272),
        ([[0, 0, 0]], 4.0, 0.6531),
        (DIAMOND, math.sqrt(3), 0.5),
    ],
    ids=["fcc", "bcc", "simple cubic", "diamond"],
)
def test_the_graph_shows_which_correlation_factor_is_exact(basis, length, right):
    """K. Compaan and Y. Haven, Trans. Faraday Soc. 52, 786 (1956)."""
    net = uniform_network(cubic(basis), "B", length, 0.7, 2.0, ion="Cu", label="hop")
    f, source = correlation_factor(net)
    assert f == right
    assert source.startswith("exact")


def test_a_chain_has_an_estimate_of_zero():
    """On a line the vacancy can only bring the tracer back."""
    chain = Structure(Lattice.tetragonal(9.0, 3.0), ["Li"], [[0, 0, 0]], site_properties={"sublattice": ["B"]})
    assert correlation_factor(uniform_network(chain, "B", 3.0, 0.7, 1.0, ion="Li", label="hop"))[0] == 0


@pytest.mark.slow
def test_corner_sharing_tetrahedra_have_the_factor_of_onsager():
    pytest.importorskip("onsager")
    rows = [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    sites = [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    cell = Structure(Lattice(rows), ["Al"] * 4, sites, site_properties={"sublattice": ["B"] * 4})
    big = cell * (2, 2, 2)
    net = uniform_network(big, "B", math.sqrt(2) / 4, 0.7, 1.0, ion="Al", label="hop")
    assert correlation_factor(net)[0] == pytest.approx(vacancy_correlation_factor(rows, sites, 0.36), abs=1e-4)


def test_the_vacancy_diffuses_over_the_spinel_as_over_six_neighbours(study, found):
    """D = z k d^2 / 6 within the 3 % by which the six bonds of the relaxed order differ."""
    hop = study.migration[0]
    assert found.neighbours == 6
    assert found.correlation_source == "exact for corner-sharing tetrahedra with equal jumps"
    for p in found.points:
        k = 1e13 * math.exp(-hop.forward_eV / (KB * p.temperature_K))
        assert p.diffusivity_cm2_per_s == pytest.approx(k * hop.distance_A**2 * 1e-16, rel=0.03, abs=0)
        assert p.mobility_cm2_per_Vs == pytest.approx(
            p.diffusivity_cm2_per_s * found.charge_e / (KB * p.temperature_K), rel=1e-9, abs=0
        )
        assert np.trace(p.tensor_cm2_per_s) == pytest.approx(3 * p.diffusivity_cm2_per_s, abs=0)


def test_drift_is_linear_first_and_faster_then(found):
    for curve in found.drift:
        ratio = np.array(curve.velocity_m_per_s) / curve.linear_m_per_s
        assert ratio[0] == pytest.approx(1, rel=1e-3)
        assert ratio[-1] > 3
        assert (np.diff(ratio) > -1e-9).all()


def raised(hop, by_eV):
    """Raise everything between the ends."""
    for image in hop.images[1:-1]:
        image.energy_eV += by_eV
    hop.forward_eV += by_eV
    hop.backward_eV += by_eV


def test_the_critical_field_is_where_the_profile_lets_one_ion_a_second(study):
    """A barrier of 0.79 eV: without a field it takes two seconds; of 2 eV: no field does it that the host stands."""
    hop = study.migration[0].model_copy(deep=True)
    raised(hop, 0.79 - hop.forward_eV)
    point = transport_of(hop, study.host.structure).points[0]
    field = point.hops_within_a_second_V_per_m
    assert field is not None
    assert field > 0
    rate = 1e13 * math.exp(-hop_in_field(hop, field).forward_eV / (KB * 300))
    assert rate == pytest.approx(1, rel=1e-6)
    raised(hop, 1.21)
    found = transport_of(hop, study.host.structure)
    assert found.points[0].hops_within_a_second_V_per_m is None
    assert "no field that the host is known to stand" in transport_in_words(found)[-1]


def test_tracer_and_conductivity_follow_from_the_vacancies(study, found):
    hop = study.migration[0]
    at = found.tracer[0]
    free = at.diffusivity_cm2_per_s / found.correlation
    cell = study.host.structure
    density = sum(s == hop.host_site for s in cell.site_properties["sublattice"]) / cell.volume
    expected = density * 1e24 * 1.602176634e-19 * found.charge_e**2 * free / (KB * 1473)
    assert at.conductivity_S_per_cm == pytest.approx(expected, rel=1e-9, abs=0)
    # Sodium chloride's textbook numbers: 1e-9 cm2/s, one charge, 2.2e22 ions per cm3, 1000 K.
    assert conductivity_S_per_cm(1e-9, 1.0, 0.022, 1000.0) == pytest.approx(4.09e-5, rel=0.01)


@pytest.fixture(scope="module")
def counted(study, found):
    """V'' and two holes, [V] = (K/4)^(1/3) of its sites, two vacancies' worth of sites and one pressure outside."""
    hop = study.migration[0]
    (own,) = (v for v in study.vacancies if v.label == hop.vacancy)
    neutral = np.array([t.site_fraction for t in found.tracer])
    whole = own.multiplicity / study.host.structure.volume * 1e24
    diagram = BrouwerDiagram.model_construct(
        curves=[
            BrouwerCurve.model_construct(
                label=hop.vacancy, charge=None, per_cm3=((neutral / 4) ** (1 / 3) * whole).tolist()
            )
        ],
        inside=[n != 1 for n in range(len(neutral))],
        dilute=[n != 4 for n in range(len(neutral))],
    )
    defects = DefectEquilibria.model_construct(diffusion=diagram)
    return with_tracer(transport_of(hop, study.host.structure), study.model_copy(update={"defects": defects}))


def test_charged_vacancies_count_where_the_study_has_them(found, counted):
    """V'' and two holes: D rises with a^(2/9) and not a^(2/3)."""
    neutral = found.tracer[0].site_fraction
    assert counted.tracer[0].site_fraction == pytest.approx((neutral / 4) ** (1 / 3), rel=1e-9, abs=0)
    assert counted.tracer[0].diffusivity_cm2_per_s / found.tracer[0].diffusivity_cm2_per_s == pytest.approx(
        (neutral / 4) ** (1 / 3) / neutral
    )
    assert counted.beside[0].slope_computed == pytest.approx(2 / 9, abs=1e-6)
    assert all(t.charges for t in counted.tracer)
    assert not any("neutral vacancies only" in n for n in counted.tracer[0].left_out)


def test_charges_are_counted_where_their_equilibrium_holds(counted):
    """Another defect that crowds its sites sets the Fermi level: no D; outside the window it is marked."""
    assert [t.inside_window for t in counted.tracer] == [n != 1 for n in range(len(counted.tracer))]
    assert [t.diffusivity_cm2_per_s is None for t in counted.tracer] == [n == 4 for n in range(len(counted.tracer))]
    assert "Fermi level" in counted.tracer[4].reason
    assert counted.tracer[4].conductivity_S_per_cm is None
    assert -4.0 not in counted.beside[0].log10_a
    remarks = [row[-1].text for row in transport_section(counted).tables[-1].rows]
    assert remarks[:2] == ["all charge states", "outside the stability window; all charge states"]
    assert any("entropy of formation" in note for note in transport_section(counted).notes)


def attracted(hop, b_eV, neighbour="Co"):
    """A vacancy with none or one such neighbour, equally often at random."""
    samples = [
        BindingSample(cell=0, site=n, neighbours=n, collinear_pairs=0, energy_eV=n * b_eV, converged=True)
        for n in (0, 1)
    ]
    effect, none = Effect(value_eV=b_eV, error_eV=0.0), Effect(value_eV=0.0, error_eV=0.0)
    return VacancyBinding.model_construct(
        label=hop.vacancy,
        neighbour=neighbour,
        per_neighbour=effect,
        per_pair=none,
        data=samples,
        provenance=hop.provenance,
    )


def test_a_tracer_that_the_vacancy_attracts_diffuses_faster(study, found):
    hop = study.migration[0]
    share = 1 / (1 + np.exp(-0.1 / (KB * 1473)))
    for binding, factor in (
        (attracted(hop, -0.1), 2 * share),
        (attracted(hop, 0.1), 2 * (1 - share)),
        (attracted(hop, -0.1, "Zn"), 1.0),
    ):
        changed = with_tracer(
            transport_of(hop, study.host.structure), study.model_copy(update={"observables": {"binding": binding}})
        )
        for name in ("diffusivity_cm2_per_s", "conductivity_S_per_cm"):
            assert getattr(changed.tracer[3], name) / getattr(found.tracer[3], name) == pytest.approx(factor)
        assert any("as often as at random" in n for n in changed.notes) == (factor != 1.0)


def test_without_a_computed_d_the_measured_one_is_told(study):
    """As in magnetite by rigid ions, whose vacancies are not dilute."""
    filled = [v.model_copy(update={"oxygen_poor": None, "oxygen_rich": None}) for v in study.vacancies]
    none = study.model_copy(update={"vacancies": filled})
    bare = with_tracer(transport_of(study.migration[0], study.host.structure), none)
    assert any("no tracer diffusion" in note for note in bare.notes)
    assert any("measured, beside no computed D: log10 D of Co" in note for note in bare.notes)
    cheap = [
        v.model_copy(
            update={
                e: getattr(v, e) and getattr(v, e).model_copy(update={"low_eV": -3.0, "high_eV": -3.0})
                for e in ("oxygen_poor", "oxygen_rich")
            }
        )
        for v in study.vacancies
    ]
    full = with_tracer(
        transport_of(study.migration[0], study.host.structure), study.model_copy(update={"vacancies": cheap})
    )
    assert full.beside == []
    assert any(
        "in (Co0.2Fe0.8)3-dO4 at 1473 K and 1 atm of O2 is -7.19, lowest at log a = -4.3" in n for n in full.notes
    )


@pytest.mark.parametrize(
    ("formula", "shares"),
    [
        ("CoFe2O4", [0.2]),
        ("Fe3O4", [0.0]),
        ("Co0.3Fe2.7O4", [0.1]),
        ("Co0.45Fe2.55O4", [0.1, 0.2]),
        ("Co1.2Fe1.8O4", []),
        ("Co7Fe17O32", [0.2]),
        ("Co8Fe15O32", [0.2]),
        ("MnFe2O4", []),
        ("NiFe2O4", []),
        ("CoO", []),
        ("Fe", []),
    ],
)
def test_any_composition_has_the_measurements_nearest_to_it(formula, shares):
    assert [m.cobalt_share for m in measured_for(formula)] == shares


def test_the_place_of_a_minimum_is_that_of_two_lines():
    """Slopes +2/3 and -1/3: the sum is lowest where the rising part is half of the falling one, log a - log10 2 off."""
    a = [0.0, -8.0, -4.0]
    found = place_of_minimum(a, [2 / 3 * x - 5 for x in a], [-1 / 3 * x - 9 for x in a])
    assert found == pytest.approx(-4 - math.log10(2), abs=0.011)
    assert place_of_minimum(a, [2 / 3 * x for x in a]) is None
    assert place_of_minimum(a[:2], [1.0, 2.0]) is None
    for m in MEASURED:
        span = np.linspace(-9, 0, 400)
        parts = [m.log10_vacancy + 2 / 3 * span, m.log10_interstitial - 2 / 3 * span]
        assert place_of_minimum(span, *parts) == pytest.approx(m.log10_a_of_minimum, abs=0.03)


def test_measured_stands_beside_computed(found, study):
    (beside,) = found.beside
    assert beside.measured.ion == "Co"
    assert beside.slope_computed == pytest.approx(2 / 3, abs=1e-6)
    assert beside.slope_measured == pytest.approx(2 / 3, abs=1e-3)
    (first, *_) = transport_in_words(found)
    assert "computed" in first
    assert f"{beside.log10_measured[0]:.2f} measured in (Co0.2Fe0.8)3-dO4" in first
    assert first in repr(study.model_copy(update={"observables": {"transport": found}}))
    assert beside.minimum_computed is None
    assert any(f"no minimum between 10^{min(beside.log10_a):.0f}" in line for line in transport_in_words(found))
    assert rms_decades(beside.measured, [0.0], [beside.measured.log10_D(0.0) + 2]) == pytest.approx(2)
    assert Transport.model_validate(found.model_dump(mode="json")).points == found.points


def test_without_a_measurement_the_computed_d_is_told_alone(found):
    """The sum of both branches at the highest pressure."""
    alone = found.model_copy(update={"beside": []})
    at = max(found.tracer, key=lambda t: t.p_O2_atm)
    (said,) = [line for line in transport_in_words(alone) if "log10 D" in line]
    assert f"{at.log10_D:.2f} computed" in said
    assert "no measurement" in said
    other = at.model_copy(update={"diffusivity_cm2_per_s": 9 * at.diffusivity_cm2_per_s})
    both = alone.model_copy(update={"interstitials": [other]})
    (said,) = [line for line in transport_in_words(both) if "log10 D" in line]
    assert f"{at.log10_D + 1:.2f} computed" in said


def test_a_band_that_is_no_result_moves_nothing(study):
    hop = study.migration[0]
    failed = held("forces", 1.0, 0.05, unit="eV/A")
    with pytest.raises(ValueError, match="no result"):
        transport_of(hop.model_copy(update={"checks": [*hop.checks, failed]}), study.host.structure)


@pytest.mark.parametrize("m", MEASURED, ids=lambda m: m.composition)
def test_kept_fits_are_those_of_the_published_rows(real, m):
    """Lu, Tinkler and Dieckmann 1993, table 37: within the rms that is stated, and no point off by 0.15 decades."""
    rows = json.loads((real / "diffusion" / "spinels.json").read_text())
    table = rows[next(k for k in rows if k.startswith("log10 D of Co"))]
    points = table[f"{m.cobalt_share:g}"]
    off = [m.log10_D(a) - d for a, d in points]
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(m.rms_decades, abs=0.006)
    assert np.abs(off).max() < 0.15
    assert [min(a for a, _ in points), max(a for a, _ in points)] == m.log10_a_range
    lowest = min(points, key=lambda p: p[1])
    assert abs(lowest[0] - m.log10_a_of_minimum) < 1


def test_ions_that_fill_their_places_are_walked_on_request(study):
    """A crowd with few vacancies has the share of them times a lone vacancy's D and f; none is walked unasked."""
    hop = study.migration[0]
    assert transport_of(hop, study.host.structure).crowded == []
    found = transport_of(hop, study.host.structure, occupation=0.98)
    assert [c.temperature_K for c in found.crowded] == [300.0, 500.0, 1000.0]
    for crowd in found.crowded:
        (lone,) = (p for p in found.points if p.temperature_K == crowd.temperature_K)
        dilute = (1 - crowd.occupation) / crowd.occupation * lone.diffusivity_cm2_per_s * found.correlation
        assert crowd.tracer_mean_cm2_per_s == pytest.approx(dilute, rel=0.15, abs=0)
        assert crowd.correlation == pytest.approx(found.correlation, abs=max(5 * crowd.correlation_error, 0.03))
    assert any("98% of their places filled" in line for line in transport_in_words(found))
    (table,) = (t for t in transport_section(found).tables if "block each other" in t.caption)
    assert len(table.rows) == 3
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        transport_of(hop, study.host.structure, occupation=1.0)
