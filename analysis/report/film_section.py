"""Section of a film: what each voltage wrote, and the profile of its ions moving through time."""

from __future__ import annotations

import numpy as np

from ..device.film_run import FilmRun
from ..kinetics.rates import format_duration
from ..results.page_parts import Cell, Frames, Section, Table, number, section

# So many points and times a page can hold.
_POINTS, _TIMES = 120, 100


@section(FilmRun, place=97)
def film_section(run: FilmRun) -> Section:
    """One row a step, the moving profile, and what is assumed."""
    model = run.model
    sent = f"Planes {model.plane_spacing_A:.2f} A apart, {model.sites_per_nm2:.3g} places a nm2"
    return Section(
        "",
        "Film",
        paragraphs=[
            f"A film of {model.thickness_nm:g} nm in which what carries {model.charge_e:+.2f} e hops from plane to "
            f"plane over {model.barrier_eV:.3f} eV ({model.source}). {sent}, {model.occupation:g} of them taken; "
            f"permittivity {model.permittivity:g}; electrodes {model.left.kind} and {model.right.kind}; "
            f"{model.temperature_K:g} K."
        ],
        moving=[_profile(run)],
        tables=[_steps(run)],
        notes=run.notes,
        notes_heading="Where the model is at its limits",
    )


def _steps(run: FilmRun) -> Table:
    heads = ["voltage (V)", "for", "contrast", "left plane", "right plane", "ions (1/nm²)", "times"]
    rows = [
        [
            Cell(f"{step.voltage_V if step.end_V is None else step.end_V:g}", "number"),
            Cell(format_duration(step.duration_s)),
            number(run.contrast[n], 3, signed=True),
            number(run.left_occupation[n], 4),
            number(run.right_occupation[n], 4),
            number(run.content_per_nm2[n], 2),
            Cell("no result: no rate law in the field" if why else "", "failed" if why else ""),
        ]
        for step, n, why in zip(run.steps, run.ends(), run.no_times, strict=True)
    ]
    return Table("End of every step", heads, rows)


def _profile(run: FilmRun) -> Frames:
    times = np.unique(np.linspace(0, len(run.time_s) - 1, _TIMES).astype(int))
    planes = np.unique(np.linspace(0, run.model.planes - 1, _POINTS).astype(int))
    profile = np.array(run.profile)[np.ix_(times, planes)]
    return Frames(
        caption="Share of taken places against depth; drag the slider through write, wait, erase and wait",
        x_label="depth from the left electrode (nm)",
        y_label="occupation",
        x=(planes * run.model.plane_spacing_A / 10).tolist(),
        frames=profile.tolist(),
        names=[_when(run, int(n)) for n in times],
    )


def _when(run: FilmRun, n: int) -> str:
    """Voltage, time within its step and since the begin: late in a film the begin of a step is lost in the sum."""
    ends = [0.0, *np.cumsum([s.duration_s for s in run.steps])]
    step = min(int(np.searchsorted(ends, run.time_s[n] * (1 - 1e-12))), len(run.steps))
    if step == 0:
        return "before the first step"
    inside, whole = format_duration(run.time_s[n] - float(ends[step - 1])), format_duration(run.time_s[n])
    return f"step {step} of {len(run.steps)}, {run.voltage_V[n]:.3g} V, {inside} into it ({whole} since the begin)"
