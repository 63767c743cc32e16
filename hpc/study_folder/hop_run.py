"""Computes all hops of a host into a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...stored import SCHEMA_VERSION
from ..errors import StudyFailedError, UserError
from ..study_options import StudyOptions
from ..terminal import Console
from ..terminal_table import TerminalTable
from .asked import resolved_engine
from .files import VERSION
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.kinetics.hop_set import HopSet
    from ...analysis.kinetics.network import HopNetwork
    from ...workflows.engine import Engine

COLLECT_JOBS = ("collect hops", "collect interstitial hops")
RESULTS = "hops.json"
TABLE = "hops.csv"
FIELD_TABLE = "hops-in-fields.csv"
FIGURE = "hops.png"
NETWORK_TABLE = "network.csv"
DIFFUSION_TABLE = "diffusion.csv"
# Places of the crystal in which ions that block each other are walked.
_CROWD = 2000


def run_hops(
    host: str,
    *,
    engine_name: str = "local",
    order: str | None = None,
    output: Path | None = None,
    quick: bool = False,
    jobs: int = 1,
    options: StudyOptions | None = None,
    reuse: Sequence[Path] = (),
    diffusion_K: str | Sequence[float] | None = None,
    occupation: float | None = None,
    insert: str | None = None,
    console: Console | None = None,
) -> HopSet:
    """Compute every distinct hop of a host; an interrupted run goes on where it was.

    Parameters
    ----------
    host, engine_name, order
        Names; unknown ones are refused before anything is computed.
    output
        Folder for hops.json, hops.csv, hops-in-fields.csv and hops.png; ``HOST-hops`` in the current one by default.
    quick
        Cells of about 56 atoms instead of 450.
    jobs
        Processes that compute at a time.
    options
        Fields, a cheaper engine for the paths.
    reuse
        Folders of other studies: what they have computed is taken from there.
    diffusion_K
        Temperatures at which vacancies and the tracers that they move diffuse over all hops: diffusion.csv.
    occupation
        Share of the places that ions fill: all of them are walked too, blocking each other.
    insert
        Ion whose hops are computed instead, put into empty places of the host, e.g. ``"Li+"``.
    console
        Where to print; stdout by default.

    Raises
    ------
    UserError
        For bad input, a folder that cannot be used, or a calculation that failed.
    """
    from .files import check_output_folder
    from .study_run import default_folder

    console = console or Console()
    engine = resolved_engine(host, engine_name, order, ["migration"])
    if jobs < 1:
        raise UserError(f"{jobs} processes cannot compute anything; give --jobs 1 or more")
    if occupation is not None and not 0 < occupation < 1:
        raise UserError(f"--occupation {occupation:g} must lie between 0 and 1, both left out")
    if occupation is not None and diffusion_K is None:
        raise UserError("--occupation is for the temperatures of --diffusion-K; give them too, e.g. --diffusion-K 900")
    temperatures = [] if diffusion_K is None else _temperatures(diffusion_K)
    if temperatures and insert is not None:
        raise UserError("--diffusion-K is for vacancies and the tracers that they move: leave it out, or --insert")
    folder = output or Path(
        str(default_folder(host)).removesuffix("-study") + (f"-{insert.strip()}-hops" if insert else "-hops")
    )
    if not (folder / RESULTS).exists():
        check_output_folder(folder, overwrite=False)
    flow = _flow(host, engine, order, quick, options or StudyOptions(), insert)
    last = _last(flow)

    from ..local.progress import StageProgress
    from ..local.recovery import heal_store
    from ..local.run_log import refuse_if_in_use
    from ..local.runner import LocalRunner
    from ..local.store import STORE_FOLDER, open_store, refuse_links, stores_of

    told = Console(stderr=True)
    if said := (options or StudyOptions()).said_of_cells(host, order, quick, every_hop=True):
        told.print(said, style="dim", markup=False)
    others = stores_of(reuse)
    refuse_links(folder)
    refuse_if_in_use(folder / STORE_FOLDER)
    notes = heal_store(folder)
    with closing(open_store(folder)) as store:
        with StageProgress(flow, told) as progress:
            summary = LocalRunner(store, progress.on_event, jobs=jobs, others=others).run(flow)
        for note in [*notes, *summary.damaged]:
            told.print(f"damage: {note}", style="yellow", markup=False)
        if any(name in summary.failed for name in COLLECT_JOBS):
            name, reason = next((n, r) for n, r in summary.failed.items() if r != "an input failed")
            raise StudyFailedError(f"{name} failed: {reason}; what finished is kept in {folder}")
        hop_set = _result(store, last)
    write_hops(hop_set, folder)
    print_hops(hop_set, console)
    print_ways_along(hop_set, (options or StudyOptions()).fields.along, console)
    if temperatures:
        print_diffusion(hop_set, temperatures, folder, console, occupation)
    console.print(f"{folder / TABLE}, {folder / FIGURE}", style="bold", markup=False)
    return hop_set


def is_whole(hops: HopSet) -> bool:
    """Whether every hop is a result."""
    return not any(m.why_no_result for m in hops.migrations) and not any(
        line.endswith("ended with an error") for line in hops.absent
    )


def write_hops(hops: HopSet, folder: Path) -> None:
    """Write the document, the table and the figure."""
    write_whole(folder / TABLE, hops.to_dataframe().to_csv(index=False))
    write_whole(folder / FIELD_TABLE, hops.field_dataframe().to_csv(index=False))
    hops.plot().savefig(folder / FIGURE, dpi=160)
    if hops.networks:
        write_whole(folder / NETWORK_TABLE, hops.network_dataframe().to_csv(index=False))
    for network in hops.networks:
        network.plot().savefig(folder / f"network-{network.ion}.png", dpi=160)
    content = {VERSION: SCHEMA_VERSION, **hops.model_dump(mode="json")}
    write_whole(folder / RESULTS, json.dumps(content, indent=1) + "\n")


def print_ways_along(hops: HopSet, along: str, console: Console) -> None:
    """Print the easiest way of every network along the direction of the fields, unless that is each hop's own."""
    from pymatgen.core import Lattice

    from ...analysis.kinetics.applied_field import Direction

    if along == "hop":
        return
    for network in hops.networks:
        lattice = Lattice(network.lattice_A)
        way = network.along(Direction.from_text(along).unit(lattice, lattice.matrix[0]))
        told = "none" if way.barrier_eV is None else f"{way.barrier_eV:.3f} eV ({way.limiting_hop})"
        console.print(f"{network.ion} along the field, {along}: {told}", markup=False)


def print_hops(hops: HopSet, console: Console) -> None:
    """Print one line per hop, and what has no hop."""
    from ...analysis.kinetics.network import network_in_words
    from ...analysis.kinetics.profiles import saddle_images
    from ...analysis.results.checks import failed, no_result

    strong = max((f.field_V_per_m for m in hops.migrations for f in m.field), default=0.0)
    table = TerminalTable(
        "hop", "Å", "ways", "saddles", "forward", "back", "Δ", "checks", title=f"Hops of {hops.formula}, energies in eV"
    )
    table.columns[0].no_wrap = True
    if strong:
        table.add_column("forward in ±F")
        table.caption = f"Δ: final minus initial; ±F: {strong:.1e} V/m along and against the hop".replace("e+0", "e")
    for m in hops.migrations:
        row = [
            m.label,
            f"{m.distance_A:.3f}",
            str(m.multiplicity),
            str(len(saddle_images([p.energy_eV for p in m.images]))),
        ]
        row += [f"{m.forward_eV:.3f}", f"{m.backward_eV:.3f}", f"{m.delta_eV:+.3f}"]
        row.append("no result" if m.why_no_result else "passed" if m.converged else "one failed beside")
        if strong:
            sides = {f.field_V_per_m: f.forward_eV for f in m.field}
            row.append(" / ".join(f"{sides[s]:.3f}" for s in (strong, -strong) if s in sides))
        table.add_row(*row, style="red" if m.why_no_result else None if m.converged else "yellow")
    console.print(table)
    for m in hops.migrations:
        if m.why_no_result:
            console.print(f"{m.label}: {no_result(m.why_no_result, most=3)}", style="red", markup=False)
        elif not m.converged:
            aside = "; ".join(c.in_words for c in failed(m.checks))
            console.print(f"{m.label}: failed beside ({aside})", style="yellow", markup=False)
    for network in hops.networks:
        console.print(network_in_words(network), markup=False)
    for line in hops.absent:
        console.print(f"no hop {line}", style="dim", markup=False)


def _temperatures(said: str | Sequence[float]) -> list[float]:
    """Temperatures of a list or of a text, asked for before anything is computed."""
    from ...analysis.kinetics.diffusion import onsager_package
    from ...workflows.flows.thermal_anisotropy import temperatures_from

    try:
        temperatures = temperatures_from(said)
        if 0.0 in temperatures:
            raise ValueError("nothing hops at 0 K; give temperatures above it")
        onsager_package()
    except (ValueError, ImportError) as error:
        raise UserError(f"--diffusion-K {said!r}: {error}") from error
    return list(temperatures)


def print_diffusion(
    hops: HopSet, temperatures_K: Sequence[float], folder: Path, console: Console, occupation: float | None = None
) -> None:
    """Print and write how vacancies and tracers diffuse over all hops of each ion; ions at an occupation beside."""
    import pandas as pd

    from ...analysis.kinetics.diffusion import CM2_PER_A2
    from ...analysis.kinetics.rates import why_no_rate
    from ...analysis.kinetics.tracer_network import tracer_correlation
    from ...analysis.kinetics.walk import steady_walk, walk_of

    rows = []
    for network in hops.networks:
        walk, lowest = walk_of(network), min(min(h.forward_eV, h.backward_eV) for h in network.hops)
        for temperature in temperatures_K:
            row: dict[str, str | float] = {"ion": network.ion, "temperature_K": temperature}
            said = f"{network.carrier} of {network.ion} at {temperature:g} K"
            if why := why_no_rate(lowest, temperature):
                rows.append(row | {"no_result": why})
                console.print(f"{said}: no D, {why}", markup=False)
                continue
            tensor = steady_walk(walk, temperature).diffusivity_A2_per_s * CM2_PER_A2
            mean = float(tensor.trace()) / 3
            row |= dict(zip(("Dx_cm2_per_s", "Dy_cm2_per_s", "Dz_cm2_per_s"), tensor.diagonal(), strict=True))
            row["D_cm2_per_s"] = mean
            try:
                correlation = tracer_correlation(network, temperature)
                row |= dict(zip(("fx", "fy", "fz"), correlation.factors, strict=True)) | {
                    "correlation": correlation.correlation
                }
                tracer = f"correlation factor of the tracer {correlation.correlation:.4f}"
            except ValueError as error:
                row["no_correlation"] = str(error)
                tracer = f"no correlation factor ({error})"
            if occupation is not None:
                row |= _crowded(network, occupation, temperature, console)
            rows.append(row)
            console.print(f"{said}: D {mean:.2e} cm2/s with assumed attempt frequencies; {tracer}", markup=False)
    write_whole(folder / DIFFUSION_TABLE, pd.DataFrame(rows).to_csv(index=False))


def _crowded(network: HopNetwork, occupation: float, temperature_K: float, console: Console) -> dict[str, str | float]:
    """Columns of the ions of a network that fill a share of their places, or the reason why they are not walked."""
    from ...analysis.kinetics.crowded import crowded_diffusion

    said = f"{network.ion} on {occupation:.0%} of its places at {temperature_K:g} K"
    cells = max(3, round((_CROWD / len(network.sites)) ** (1 / 3)))
    try:
        walked = crowded_diffusion(network, occupation, temperature_K, cells=cells)
    except ValueError as error:
        console.print(f"{said}: not walked, {error}", markup=False)
        return {"occupation": occupation, "not_walked": str(error)}
    D, f, error_f = walked.tracer_mean_cm2_per_s, walked.correlation, walked.correlation_error
    console.print(f"{said}: D of the tracer {D:.2e} cm2/s, f {f:.3f} +- {error_f:.3f}", markup=False)
    columns = [f"tracer_D{axis}_cm2_per_s" for axis in "xyz"]
    diagonal = (row[n] for n, row in enumerate(walked.tracer_cm2_per_s))
    return {
        "occupation": walked.occupation,
        **dict(zip(columns, diagonal, strict=True)),
        "crowded_f": f,
        "crowded_f_error": error_f,
    }


def _flow(
    host: str, engine_name: str | Engine, order: str | None, quick: bool, options: StudyOptions, insert: str | None
) -> Any:
    from ...workflows.flows.hops import AllHopsMaker
    from ...workflows.flows.interstitial_hops import InsertedHopsMaker

    try:
        engine, repeats = options.engine(engine_name), options.repeats(host, order, quick, every_hop=True)
        if insert is not None:
            if options.fields.are_asked:
                raise UserError("fields of inserted ions are not computed: leave them out, or --insert")
            return InsertedHopsMaker(engine=engine, repeats=repeats).make(host, insert, order)
        maker = AllHopsMaker(engine=engine, repeats=repeats, fields=options.fields.request())
        return maker.make(host, order)
    except ValueError as error:
        raise UserError(f"the hops cannot be computed: {error}") from error


def _last(flow: Any) -> str:
    """Key of the job that collects; asked before the run, which takes the references out of the jobs."""
    return str(next(j.uuid for j, _ in flow.iterflow() if j.name in COLLECT_JOBS))


def _result(store: Any, last: str) -> HopSet:
    from monty.json import MontyDecoder

    result = store.get_output(last, load=True)
    return MontyDecoder().process_decoded(result)  # type: ignore[no-any-return]
