"""The stage of a film: what it takes, refuses, and leaves in a study and its report."""

import json
import re

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.device.film_run import FilmRun
from magnetoionics.analysis.report.film_section import film_section
from magnetoionics.analysis.report.page import report_html
from magnetoionics.workflows.flows.film import film_entries, film_job
from magnetoionics.workflows.stage import read_options


@pytest.fixture(scope="module")
def run() -> FilmRun:
    study = kept_study()
    entries = film_entries("thickness_nm: 3, occupation: 0.02, sites_per_nm2: 0.5, attempt_Hz: 1e13")
    return film_job.original(study.migration[0], study.host.structure, None, entries, [0.3, 100.0, 1e-3])


def test_a_written_film_is_kept_and_erased_over_the_barrier_of_the_study(run):
    hop = kept_study().migration[0]
    assert run.model.barrier_eV == pytest.approx((hop.forward_eV + hop.backward_eV) / 2)
    written, kept, erased, _ = run.ends()
    # A vacancy is negative, so that it goes to the left at a positive voltage, and a millisecond is too short to leave.
    assert run.contrast[written] < -0.05
    assert run.contrast[kept] == pytest.approx(run.contrast[written], rel=0.05)
    assert run.contrast[erased] == pytest.approx(-run.contrast[written], rel=0.05)


def test_profile_that_moves_holds_the_planes_of_the_run(run):
    (moving,) = film_section(run).moving
    assert moving.frames[-1] == pytest.approx(run.profile[-1])
    first = [tuple(map(float, p.split(","))) for p in moving.paths[0].split()]
    # The uniform film of the begin lies flat, at its share of the largest occupation, measured from below.
    height = 1000 * (1 - run.model.occupation / np.max(run.profile))
    assert all(y == pytest.approx(height, abs=0.5) for _, y in first)
    assert [x for x, _ in (first[0], first[-1])] == [0, 1700]
    assert moving.x[-1] == pytest.approx((run.model.planes - 1) * run.model.plane_spacing_A * 0.1)


def test_report_of_a_study_moves_the_profile(run):
    study = kept_study()
    study.observables["film"] = run
    page = report_html(study, {})
    frames, names = re.search(r"data-frames='(.*?)' data-names='(.*?)'", page).groups()
    assert len(json.loads(frames)) == len(json.loads(names)) > 50
    assert "step 1 of 4, 0.3 V, 100 s into it (100 s since the begin)" in names
    # The begin of the wait, a millisecond long, is not lost in the time of the pulse before it.
    assert len(set(json.loads(names))) == len(json.loads(names))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("film_model", "thicknes: 3", "no thicknes"),
        ("film_model", "thickness_nm: -3", "greater than 0"),
        ("film_model", "thickness_nm: .nan", "finite"),
        ("film_model", "3", "a film has no 3"),
        ("film_model", "thickness_nm: [", "cannot be read"),
        ("film_pulse_s", "-1", "positive finite"),
        ("film_voltage_V", "nan", "finite number"),
    ],
)
def test_bad_films_are_refused_before_anything_is_computed(option, value, said):
    with pytest.raises(ValueError, match=said):
        read_options({option: value})
