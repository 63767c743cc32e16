"""The page's rows of tracer diffusion are what the kept calculations say."""

import math
import re

import numpy as np
import pytest
from magnetoionics.analysis.audit.known_values import better_calculations
from magnetoionics.analysis.study.measured_diffusion import measured_for


def test_rows_of_the_page_are_those_of_the_kept_calculations(repository, monkeypatch):
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    from diffusion_rows import SLOPE, MEASURED_EDGE_eV, RICH_EDGE_eV, kept_rows, study_rows

    rows = kept_rows()
    page = (repository / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "\n".join([*rows, *study_rows()]) in page
    # By hand: f d^2 nu of the octahedral sites, and both energies in the exponent at 1473 K.
    formation, barrier, log_D = map(float, re.search(r"E_f (\S+) \+ E_m (\S+) eV, log D (\S+),", rows[0]).groups())
    by_hand = math.log10(0.5549 * 8.82e-16 * 1e13) - (formation + barrier) / 0.12693 / math.log(10)
    assert log_D == pytest.approx(by_hand, abs=0.1)
    # Edges and slopes are those that the page of engines has.
    said = (repository / "docs" / "engines.md").read_text(encoding="utf-8")
    poor, rich, measured = map(
        float, re.search(r"potential: (\S+) to (\S+) eV; from measured enthalpies \S+ to (\S+) eV", said).groups()
    )
    assert (RICH_EDGE_eV["gpaw"], MEASURED_EDGE_eV) == (rich, measured)
    (gpaw,) = (k for k in better_calculations("cofe2o4", "Imma", "local", "vacancies") if k.engine == "gpaw")
    for vacancy, slope in SLOPE.items():
        assert (gpaw.poor[vacancy] - gpaw.rich[vacancy]) / (rich - poor) == pytest.approx(slope, abs=0.01)


def test_kept_studies_have_the_sum_of_their_branches(repository, monkeypatch):
    """What stands beside the measurement is both branches together, and the minimum lies where they cross."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    from diffusion_rows import kept_studies

    (measured,) = measured_for("CoFe2O4")
    studies = kept_studies()
    assert {one["engine"] for one in studies.values()} >= {"chgnet", "local"}
    for one in studies.values():
        a, beside = np.array(one["log10_a"]), one["beside"]
        by_vacancies, by_interstitials = np.array(one["vacancies"]), np.array(one["interstitials"])
        total = np.log10(10**by_vacancies + 10**by_interstitials)
        assert beside["log10_a"] == pytest.approx(a)
        assert beside["log10_computed"] == pytest.approx(total, abs=2e-4)
        off = [d - measured.log10_D(x) for d, x in zip(total, a, strict=True)]
        assert beside["rms_decades"] == pytest.approx(math.sqrt(np.mean(np.square(off))), abs=1e-3)
        apart = by_vacancies - by_interstitials
        if beside["minimum_computed"] is not None:
            assert apart[np.argmax(a)] > 0 > apart[np.argmin(a)]
            crossing = np.interp(0.0, apart[np.argsort(a)], np.sort(a))
            assert beside["minimum_computed"] == pytest.approx(crossing, abs=0.3)
