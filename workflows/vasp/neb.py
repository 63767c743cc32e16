"""Bands by VTST on split paths: relaxed ends and intermediates, one climbing band per segment, judged by its residual.

VASP reads one INCAR for all images, so one MAGMOM starts them all. Where the moments of two minima differ in size,
every image therefore starts from a density of its own, computed with moments between theirs; a flip is refused. After
the run every image's moments are held against those it was to start from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jobflow import Flow, Response, job
from numpy.typing import NDArray
from pydantic import Field
from pymatgen.core import Structure

from ...analysis.results.calculation import (
    Band,
    BandImage,
    Calculation,
    Check,
    invalid_because,
    require_valid,
)
from ...analysis.results.document import Document, StructureField
from ..band.ends import Mover, minima_in_words, movers_of
from ..evaluation.guards import no_spin_flip
from .band_judgement import judge_path, judge_segment, moved, one_branch, patched
from .continuation import earlier_steps
from .field import field_fields, field_flow
from .finished.band import read_image
from .finished.document import SegmentRun
from .guards import field_kept
from .inputs import field_tags
from .jobs import MagneticRelaxMaker, calculation_flow, marks_of_run, provenance
from .order import block_order, in_order
from .own_runs import final_energy_eV, placed, run_guards, spins_kept
from .parsed import folder_of
from .segment import SegmentMaker, image_density, moments_differ, segment_fields, spins_of, start_images
from .settings import VaspBandSettings, VaspCommands, VaspSettings, expected_electrons

if TYPE_CHECKING:
    from jobflow import Job

# VTST's tags and those that a handler of custodian may write into a band.
BAND_TAGS = ("LCLIMB", "SPRING", "IMAGES", "ISIF", "IBRION", "IOPT", "POTIM", "ICHAIN", "LTANGENTOLD", "EDIFFG")


class Segment(Document):
    """One segment: its moving images after VASP, with true forces in the order of the structures."""

    structures: list[StructureField]
    energies_eV: list[float]
    forces_eV_per_A: list[list[list[float]]]
    moments_muB: list[list[float]]
    force_calls: int
    folder: str
    checks: list[Check] = Field(default_factory=list)


@job(name="relax intermediates")
def relax_trials(
    initial: Calculation,
    final: Calculation,
    intermediates: list[Structure],
    *,
    mover: Mover,
    name: str,
    settings: VaspSettings,
    band: VaspBandSettings,
    commands: VaspCommands,
    fields: dict[str, Any],
    matrices: dict[str, str] | None = None,
) -> Response[Any]:
    """Relax every trial between the relaxed ends, then split the band; replaced by those jobs.

    Raises
    ------
    InvalidResultError
        If an end failed a guard.
    """
    for end in (initial, final):
        require_valid(end.checks, end.name)
    relaxed = [
        relax_flow(
            blend(initial, final, trial, mover), f"{name}: intermediate {number}", settings, band, fields, matrices
        )
        for number, trial in enumerate(intermediates, start=1)
    ]
    split = split_band(
        initial,
        final,
        [flow.output for flow in relaxed],
        mover=mover,
        settings=settings,
        band=band,
        fields=segment_fields(commands, fields if band.field_V_per_A is None else field_fields(fields)),
        statics=fields,
    )
    return Response(replace=Flow([*relaxed, split], output=split.output))


def relax_flow(
    structure: Structure,
    name: str,
    settings: VaspSettings,
    band: VaspBandSettings,
    fields: dict[str, Any],
    matrices: Mapping[str, str] | None = None,
) -> Flow:
    """Relaxation of a minimum, in the band's field if it has one; `matrices` are OCCMATRIX texts by name."""
    own = (matrices or {}).get(name)
    if band.field_V_per_A is None:
        maker = MagneticRelaxMaker(settings=settings, occupation_matrices=own, **fields)
        return calculation_flow(maker, structure, name, settings)
    gap, strength = float(band.gap_eV or 0.0), band.field_V_per_A
    return field_flow(
        structure, strength, gap_eV=gap, relax=True, name=name, settings=settings, fields=fields, matrices=own
    )


def blend(initial: Calculation, final: Calculation, trial: Structure, mover: Mover) -> Structure:
    """A trial intermediate with its surroundings halfway between the relaxed ends."""
    middle = (initial.structure.cart_coords + final.structure.cart_coords) / 2
    movers = movers_of(mover)
    middle[movers] = trial.cart_coords[movers]
    return Structure(
        trial.lattice,
        trial.species,
        middle,
        coords_are_cartesian=True,
        site_properties={key: list(values) for key, values in trial.site_properties.items()},
    )


@job(name="split band")
def split_band(
    initial: Calculation,
    final: Calculation,
    trials: list[Calculation],
    *,
    mover: Mover,
    settings: VaspSettings,
    band: VaspBandSettings,
    fields: dict[str, Any],
    statics: dict[str, Any],
) -> Response[Any]:
    """One climbing band per segment between the ends and the lowest minimum found; replaced by those jobs.

    Raises
    ------
    InvalidResultError
        If an end failed a guard, or the ends are in different magnetic states.
    """
    for end in (initial, final):
        require_valid(end.checks, end.name)
    stations, notes = stations_of(initial, final, trials, mover, band)
    for left, right in pairwise(stations):
        flip = no_spin_flip(spins_of(left.structure), spins_of(right.structure))
        require_valid([flip], f"the band between {left.name} and {right.name}")
    jobs: list[Any] = []
    segments = []
    for number, (left, right) in enumerate(pairwise(stations), start=1):
        own = moments_differ(left.structure, right.structure)
        maker = SegmentMaker(settings=settings, band=band, from_densities=own, **fields)
        images = start_images(left.structure, right.structure, band.images_per_segment)
        before = [image_density(i, k, number, settings, statics) for k, i in enumerate(images[1:-1], 1)] if own else []
        jobs += before
        run: Job = maker.make(images, densities=[d.output.dir_name for d in before])
        run.name = f"segment {number}: vasp"
        run.update_metadata(marks_of_run("neb"))
        read = read_segment(run.output, images, maker=maker, left=left, right=right, name=f"segment {number}")
        jobs += [run, read]
        segments.append(read.output)
    last = collect_band(stations, segments, mover=mover, settings=settings, band=band, notes=notes)
    return Response(replace=Flow([*jobs, last], output=last.output))


def stations_of(
    initial: Calculation, final: Calculation, trials: Sequence[Calculation], mover: Mover, band: VaspBandSettings
) -> tuple[list[Calculation], list[str]]:
    """The ends and, between them, the lowest trial that is a valid minimum of its own; and what was found."""
    notes: list[str] = []
    calculations: dict[int, Calculation] = {}
    for number, trial in enumerate(trials, start=1):
        if reasons := invalid_because(trial.checks):
            notes.append(f"trial intermediate {number} is invalid and dropped: {'; '.join(reasons)}")
            continue
        lead = movers_of(mover)[0]
        where = trial.structure.cart_coords[lead]
        gap = min(float(np.linalg.norm(where - e.structure.cart_coords[lead])) for e in (initial, final))
        if gap < band.same_state_A:
            notes.append(f"trial intermediate {number} relaxed back into an end: no minimum there")
        elif not trial.converged:
            notes.append(f"trial intermediate {number} did not relax: dropped")
        else:
            calculations[number] = trial
    notes += minima_in_words({number: c.energy_eV - initial.energy_eV for number, c in calculations.items()})
    middle = [min(calculations.values(), key=lambda c: c.energy_eV)] if calculations else []
    return [initial, *middle, final], notes


@job(name="read segment")
def read_segment(
    task: SegmentRun,
    images: list[Structure],
    *,
    maker: SegmentMaker,
    left: Calculation,
    right: Calculation,
    name: str,
) -> Segment:
    """Images, energies and true forces of a segment, with the guards of every image and the residual of the band."""
    order = block_order(images[0])
    planned = maker.planned(in_order(images[0], order))
    electrons = expected_electrons(images[0], maker.settings)
    place = np.argsort(order)
    checks: list[Check] = []
    structures, energies, forces, moments, calls = [], [], [], [], 0
    folder = Path(folder_of(task).split(":", 1)[-1])
    for number, start in enumerate(images[1:-1], start=1):
        run = read_image(folder, number)
        structure, spins = placed(run, order, start)
        made = run_guards(run, planned, maker.settings, electrons, BAND_TAGS)
        made += [spins_kept(start, spins or None), patched(run), moved(run, structure, start)]
        if maker.band.field_V_per_A is not None:
            tag = field_tags(maker.band.field_V_per_A, maker.settings)["EFIELD_PEAD"]
            made.append(field_kept(run.incar.get("EFIELD_PEAD"), tag))
        checks += [c.model_copy(update={"name": f"{c.name} ({name}, image {number})"}) for c in made]
        structures.append(structure)
        energies.append(final_energy_eV(run))
        forces.append(np.asarray(run.forces_eV_per_A, dtype=float)[place])
        moments.append(spins)
        calls += run.ionic_steps
    path = [left.structure, *structures, right.structure]
    profile = [left.energy_eV, *energies, right.energy_eV]
    checks += judge_segment(path, profile, forces, maker.band, name)
    if maker.band.field_V_per_A is not None:
        checks.append(one_branch(path, profile, forces, maker.band.field_V_per_A, name))
    return Segment(
        structures=structures,
        energies_eV=energies,
        forces_eV_per_A=[f.tolist() for f in forces],
        moments_muB=moments,
        force_calls=calls + len(structures) * earlier_steps(folder_of(task)),
        folder=folder_of(task),
        checks=checks,
    )


@job(name="collect band")
def collect_band(
    stations: list[Calculation],
    segments: list[Segment],
    *,
    mover: Mover,
    settings: VaspSettings,
    band: VaspBandSettings,
    notes: list[str],
) -> Band:
    """The whole path as a `Band`, with dipoles from the formal charges until better ones are computed."""
    points: list[tuple[Structure, float, str]] = [(stations[0].structure, stations[0].energy_eV, "end")]
    moments: list[list[float] | None] = [stations[0].site_moments_muB]
    for number, (segment, right) in enumerate(zip(segments, stations[1:], strict=True), start=1):
        top = int(np.argmax(segment.energies_eV))
        left_energy = points[-1][1]
        climbed = band.climb and segment.energies_eV[top] > max(left_energy, right.energy_eV)
        for k, (structure, energy) in enumerate(zip(segment.structures, segment.energies_eV, strict=True)):
            points.append((structure, energy, "saddle" if climbed and k == top else "image"))
            moments.append(segment.moments_muB[k] or None)
        points.append((right.structure, right.energy_eV, "end" if number == len(segments) else "minimum"))
        moments.append(right.site_moments_muB)
    charges = neutral_charges(stations[0].structure, mover)
    checks = [c.model_copy(update={"name": f"{c.name} ({s.name})"}) for s in stations for c in s.checks]
    checks += [c for segment in segments for c in segment.checks]
    checks.append(judge_path([p[0] for p in points]))
    images = band_images(points, charges, movers_of(mover)[0])
    for image, found in zip(images, moments, strict=True):
        image.site_moments_muB = found
    return Band(
        mover=movers_of(mover)[0],
        images=images,
        dipole_source="point charges",
        dipole_note="formal charges; the missing charge is spread over the cations but the mover",
        force_calls=sum(s.force_calls for s in stations) + sum(s.force_calls for s in segments),
        checks=checks,
        not_checked=["number of imaginary modes at each saddle (no phonons)", "reverse band from scratch"],
        notes=notes,
        provenance=provenance(settings, None, {"band": band.as_dict(), "folders": [s.folder for s in segments]}),
    )


def neutral_charges(structure: Structure, mover: Mover) -> NDArray[np.float64]:
    """Formal charges of a neutral cell, e, shape (n,): what is missing is spread over the cations but the mover."""
    from ...calculators.rigid_ion import spread_charge

    valence = np.array(structure.site_properties["valence"], dtype=float)
    keep = valence < 0
    keep[movers_of(mover)] = True
    return np.asarray(spread_charge(valence, keep))


def band_images(
    points: list[tuple[Structure, float, str]], charges: NDArray[np.float64], mover: int
) -> list[BandImage]:
    """Images with arc lengths and point-charge dipoles, relative to the first."""
    origin, base, _ = points[0]
    arc, previous, images = 0.0, origin, []
    for structure, energy, kind in points:
        arc += float(np.linalg.norm(structure.cart_coords - previous.cart_coords))
        moved = structure.cart_coords - origin.cart_coords
        images.append(
            BandImage(
                energy_eV=energy - base,
                arc_A=arc,
                mover_A=float(np.linalg.norm(moved[mover])),
                dipole_e_A=[float(x) for x in charges @ moved],
                kind=kind,
                structure=structure,
            )
        )
        previous = structure
    return images


def band_flow(
    initial: Structure,
    final: Structure,
    intermediates: Sequence[Structure],
    *,
    mover: Mover,
    name: str,
    settings: VaspSettings,
    band: VaspBandSettings,
    commands: VaspCommands,
    fields: dict[str, Any],
    matrices: Mapping[str, str] | None = None,
) -> Flow:
    """Relax the ends, then the trials between them, then split and climb.

    Parameters
    ----------
    initial, final, intermediates, mover, name
        As `Engine.band`.
    settings, band, commands
        See there.
    fields
        Of the Makers, see `jobs.common_fields`.
    matrices
        OCCMATRIX texts of ends and intermediates by name, such as ``"band: initial end"``.
    """
    ends = [
        relax_flow(initial, f"{name}: initial end", settings, band, fields, matrices),
        relax_flow(final, f"{name}: final end", settings, band, fields, matrices),
    ]
    trials = relax_trials(
        ends[0].output,
        ends[1].output,
        intermediates,
        mover=mover,
        name=name,
        settings=settings,
        band=band,
        commands=commands,
        fields=fields,
        matrices=dict(matrices or {}),
    )
    trials.name = name
    return Flow([*ends, trials], output=trials.output, name=name)
