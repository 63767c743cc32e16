"""The atlas: every study and set of hops below a folder on one page with its data and figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..terminal import Console
from .files import RESULTS, read_study
from .hop_run import RESULTS as HOPS
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.study.atlas import Atlas, AtlasPoint

STEM = "atlas"


def collect_atlas(folders: Sequence[Path], earlier: Path | None = None) -> Atlas:
    """Points of all studies and sets of hops in and below some folders.

    Parameters
    ----------
    folders
        Of studies, or that hold them.
    earlier
        File of an earlier atlas: its points stay but for hosts and engines that the folders have.

    Raises
    ------
    UserError
        If a folder is none, if there is nothing finished, or if the earlier file is no atlas.
    """
    from ...analysis.kinetics.hop_set import HopSet
    from ...analysis.study.atlas import Atlas, points_of_hops, points_of_study

    points: list[AtlasPoint] = []
    left_out: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; give those of studies, or one that holds them")
        for path in sorted([*folder.rglob(RESULTS), *folder.rglob(HOPS)]):
            name = path.parent.name
            try:
                if path.name == RESULTS:
                    found = points_of_study(read_study(path.parent))
                else:
                    found = points_of_hops(HopSet.model_validate(_without_version(json.loads(path.read_text()))))
            except (UserError, ValueError) as error:
                left_out[name] = " ".join(str(error).split())
                continue
            points += found
            if not found:
                left_out[name] = "no hop was computed"
    if not points:
        raise UserError(f"no finished hop in {', '.join(map(str, folders))}; a campaign makes them")
    made = Atlas(points=_once(points), left_out=left_out)
    return made if earlier is None else _joined(made, _read_atlas(earlier))


def _read_atlas(path: Path) -> Atlas:
    from ...analysis.study.atlas import Atlas

    try:
        return Atlas.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is no atlas.json of `magnetoionics atlas`: {reason}") from error


def _joined(made: Atlas, earlier: Atlas) -> Atlas:
    """The new atlas, and of the earlier one what is of other hosts, orders or engines."""
    there = {(p.host, p.order, p.engine) for p in made.points}
    kept = [p for p in earlier.points if (p.host, p.order, p.engine) not in there]
    return made.model_copy(update={"points": [*made.points, *kept], "left_out": earlier.left_out | made.left_out})


def _without_version(content: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in content.items() if k != "schema_version"}


def _once(points: Sequence[AtlasPoint]) -> list[AtlasPoint]:
    """A hop that a study and a set of hops both have stands once, as the study has it."""
    out: dict[tuple[str, str, str, str, float, int], AtlasPoint] = {}
    for p in points:
        key = (p.host, p.order, p.engine, p.hop.partition(" (")[0], round(p.distance_A, 2), p.ways)
        if key not in out or (out[key].attempt_source == "assumed" and p.attempt_source != "assumed"):
            out[key] = p
    return list(out.values())


def write_atlas(
    folders: Sequence[Path], output: Path, console: Console | None = None, *, earlier: Path | None = None
) -> Atlas:
    """Write ``atlas.md``, ``atlas.csv``, ``atlas.json`` and ``images/atlas.png`` into a folder.

    Raises
    ------
    UserError
        See `collect_atlas`.
    """
    atlas = collect_atlas(folders, earlier)
    (output / "images").mkdir(parents=True, exist_ok=True)
    write_whole(output / f"{STEM}.csv", atlas.to_dataframe().to_csv(index=False, float_format="%.6g"))
    write_whole(output / f"{STEM}.json", json.dumps(atlas.model_dump(mode="json"), indent=1) + "\n")
    atlas.plot().savefig(output / "images" / f"{STEM}.png", dpi=160)
    write_whole(output / f"{STEM}.md", atlas_page(atlas))
    (console or Console()).print(
        f"{len(atlas.points)} hops of {len({p.host for p in atlas.points})} materials in {output / STEM}.md",
        markup=False,
    )
    return atlas


def atlas_page(atlas: Atlas) -> str:
    """The page as Markdown."""
    from ...analysis.study.atlas import known_barriers, ranked

    errors = atlas.errors_eV()
    lines = [
        "# Atlas of magneto-ionic hops",
        "",
        "Made by `magnetoionics atlas` from the folders of a campaign, see [how it is run](howto_atlas.md). Each row",
        "is a hop of one material by one engine, the longest retention first: barriers, rates of attempts, dipole of",
        "the hop along it, changes of the cell's moment and of its E(n) (largest minus smallest over the",
        "sphere), the time in which a written difference falls to 1/e at 300 K, and the internal field along the hop",
        "that drives it within 1 ms. The data are in [atlas.csv](atlas.csv) and [atlas.json](atlas.json).",
        "",
        "![retention against field](images/atlas.png)",
        "",
        "Error of an engine: the median of how far its lowest barriers are from known ones of the same ion, below.",
        "",
        *(f"- `{name}`: {_error_words(*errors[name])}" for name in sorted(errors)),
        "",
        "| material | hop | engine | atoms | forward / back (eV) | attempts (THz) | dipole (e Å) | Δ moment (μB) | "
        "Δ E(n) (meV) | retention | field (V/m) | known (eV) |",
        "|" + "-|" * 12,
        *(_row(p) for p in ranked(atlas.points)),
        "",
        "Attempts of 10.0 THz are assumed. A field in brackets is that of the linear law, beyond what the host stands.",
        "–: the engine has no electrons, or the study no map; *no result*: a check failed, its numbers are not shown.",
        "",
        "## Known values beside ours",
        "",
        "| material | ion | known (eV) | what | source | ours (eV), lowest of each engine |",
        "|" + "-|" * 6,
        *(_beside(known, atlas) for known in known_barriers()),
        "",
    ]
    if atlas.left_out:
        lines += ["## Left out", "", *(f"- {name}: {why}" for name, why in sorted(atlas.left_out.items())), ""]
    return "\n".join(lines)


def _error_words(error: float | None, compared: int) -> str:
    if error is None:
        return f"not known: {compared} of its materials have a known barrier"
    return f"{error:.2f} eV over {compared} materials"


def _row(p: AtlasPoint) -> str:
    barriers = "*no result*" if p.forward_eV is None else f"{p.forward_eV:.2f} / {p.backward_eV:.2f}"
    attempts = " / ".join(f"{hz / 1e12:.1f}" for hz in p.attempt_Hz)
    known = "" if p.known is None else _range(p.known.low_eV, p.known.high_eV) + f", {p.known.kind}"
    cells = [
        f"{p.formula} (`{p.host}`, {p.order})",
        p.hop.replace("->", "→") + f", {p.distance_A:.2f} Å",
        f"`{p.engine}`",
        str(p.cell_atoms),
        barriers,
        attempts if p.forward_eV is not None else "",
        _number(p.dipole_along_hop_e_A, "+.2f"),
        _number(p.moment_change_muB, "+.2f"),
        _number(p.anisotropy_change_meV, ".2f"),
        p.no_result.split(":")[0] if p.retention_s is None and p.forward_eV is not None else _time(p),
        _field(p),
        known,
    ]
    return "| " + " | ".join(cells) + " |"


def _time(p: AtlasPoint) -> str:
    from ...analysis.kinetics.rates import format_duration

    return "–" if p.retention_s is None else format_duration(p.retention_s)


def _field(p: AtlasPoint) -> str:
    if p.retention_s is None:
        return "–"
    if p.field_V_per_m == 0:
        return "none needed"
    if p.field_V_per_m is not None:
        return f"{p.field_V_per_m:.1e}"
    return "–" if p.linear_field_V_per_m is None else f"({p.linear_field_V_per_m:.1e})"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _beside(known: Any, atlas: Atlas) -> str:
    own: dict[str, float] = {}
    for p in atlas.points:
        if (p.host, p.ion) == (known.host, known.ion) and p.forward_eV is not None:
            own[p.engine] = min(p.forward_eV, own.get(p.engine, p.forward_eV))
    ours = ", ".join(f"`{engine}` {barrier:.2f}" for engine, barrier in sorted(own.items())) or "not in this atlas"
    said = f"{known.what} ({known.kind})"
    return (
        f"| `{known.host}` | {known.ion} | {_range(known.low_eV, known.high_eV)} | {said} | {known.source} | {ours} |"
    )
