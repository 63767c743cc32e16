"""A paragraph on the methods of a study, to begin a paper's from: what was done, with its settings and limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .citations import citations_of

if TYPE_CHECKING:
    from .documents import Study

# Packages whose versions a paper states; the others stand in results.json.
_UNSAID = ("python",)


def methods_paragraph(study: Study) -> str:
    """What was computed and how, in whole sentences; nothing in it is assumed that the study does not hold.

    A part that was not computed is not mentioned. Numbers of settings carry their units. What the engine leaves out
    ends the paragraph, since a reader has to know it.
    """
    return " ".join(_sentences(study))


def _sentences(study: Study) -> Iterator[str]:
    engine, host = study.engine, study.host
    provenance = engine.provenance
    yield (
        f"All quantities of {host.formula} ({host.title}, order {host.order}) were computed with "
        f"magnetoionics {provenance.versions.get('magnetoionics', '')}".rstrip()
        + f" and its engine {engine.name}"
        + (f" ({provenance.functional})" if provenance.functional else "")
        + f" [{', '.join(citations_of(study))}]."
    )
    yield from _level(provenance.hubbard_U_eV, provenance.settings)
    a, b, c = host.lattice_A
    how = "relaxed, ions and cell" if engine.relaxes_cells else "kept at its measured lattice"
    yield (
        f"The ordered cell of {host.cell_atoms} atoms (a, b, c = {a:.3f}, {b:.3f}, {c:.3f} Å; space group "
        f"{host.space_group}) was {how}."
    )
    if study.vacancies:
        sizes = sorted({v.cell_atoms for v in study.vacancies})
        yield (
            f"Defects ({', '.join(v.label for v in study.vacancies)}) were relaxed at fixed cell in cells of "
            f"{' or '.join(str(n) for n in sizes)} atoms."
        )
    if study.chemical_potentials is not None:
        window = study.chemical_potentials.window
        whose = "measured enthalpies" if window.provenance.level_of_theory == "experiment" else window.provenance.engine
        yield f"Formation energies refer to the stability window of {window.host_formula} from {whose}."
    for migration in study.migration[:1]:
        yield (
            f"The path of {migration.label} ({migration.distance_A:.2f} Å, {migration.cell_atoms} atoms) was found by "
            f"the climbing-image nudged elastic band method, {len(migration.images)} images in all."
        )
        strongest = max((p.field_V_per_m for p in migration.field), default=0.0)
        if strongest:
            yield f"Electric fields up to {strongest:.1e} V/m acted by {migration.field_treatment}."
    if study.vibrations is not None:
        yield (
            f"Attempt frequencies follow from the force constants of {study.vibrations.atoms} ions by finite "
            f"displacements of {study.vibrations.displacement_A:g} Å, in Vineyard's form."
        )
    if study.anisotropy is not None and study.anisotropy.maps:
        yield (
            f"The energy was mapped over {len(study.anisotropy.maps[0].directions)} directions of the magnetisation "
            f"in the states {', '.join(m.state for m in study.anisotropy.maps)}."
        )
    versions = {k: v for k, v in provenance.versions.items() if k not in ("magnetoionics", *_UNSAID)}
    if versions:
        yield f"Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}."
    if provenance.left_out:
        yield f"Left out: {'; '.join(provenance.left_out)}."


def _level(u: dict[str, float], settings: dict[str, Any]) -> Iterator[str]:
    """U, cut-off and mesh, where the engine states them."""
    if any(u.values()):
        yield f"U was {', '.join(f'{value:g} eV on {element}' for element, value in sorted(u.items()) if value)}."
    cutoff = settings.get("cutoff_eV") or settings.get("ENCUT")
    if isinstance(cutoff, int | float):
        yield f"The plane-wave cut-off was {cutoff:g} eV."
    forces = settings.get("fmax_eV_per_A")
    if isinstance(forces, int | float):
        yield f"Ions were relaxed until no force exceeded {forces:g} eV/Å."
