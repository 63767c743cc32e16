"""What `magnetoionics structures` prints and writes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from yaml import YAMLError

from ..errors import UserError
from ..terminal import Console
from ..terminal_table import TerminalTable

if TYPE_CHECKING:
    from ...structures.cells.film_cells import Film
    from ...structures.defects.collinear_pairs import CollinearPair
    from ...structures.defects.hops import Hop
    from ...structures.defects.inventory import Inventory

ENDINGS = (".vasp", ".cif", ".extxyz")
Row = dict[str, Any]


def list_structures(
    host_key: str,
    *,
    order: str | None = None,
    output: Path | None = None,
    image_distance_A: float = 8.0,
    insert: str | None = None,
    field: Sequence[float] | None = None,
    complexes: Sequence[tuple[str, float]] = (),
    charges: bool = False,
    film: str | None = None,
) -> Inventory:
    """Print every distinct vacancy and hop of a host, and write their cells.

    Parameters
    ----------
    host_key, order
        Names; unknown ones are refused.
    output
        New or empty folder for cells (POSCAR with MAGMOM, CIF, extxyz) and tables (CSV); nothing is written without.
    image_distance_A
        Smallest distance of a defect from its images, in Angstrom.
    insert
        Ion to put into empty polyhedra, e.g. ``"Li+"``.
    field
        Cartesian direction of the field, for its angle to every hop; by default along the normal of a film.
    complexes
        Members in words and the largest distance between two, in Angstrom.
    charges
        Whether to list the ions that make up for the charge of each vacancy.
    film
        As YAML, see `film_cells.Film`.

    Raises
    ------
    UserError
        For bad input.
    """
    from ...structures.defects.inventory import take_inventory
    from ...structures.host import UnknownHostError, get_host

    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"{output} is not an empty folder; choose another --output")
    if field is not None and not any(field):
        raise UserError("the field's direction 0,0,0 points nowhere; give three numbers such as 0,0,1")
    try:
        made = None if film is None else _film(film)
        inventory = take_inventory(
            get_host(host_key), order, image_distance_A, insert, complexes=complexes, charges=charges, film=made
        )
        if made is not None and field is None:
            field = [float(x) for x in made.normal(inventory.cell)]
        words = "" if made is None else made.in_words(inventory.host.structure(inventory.order))
    except (UnknownHostError, ValueError, YAMLError) as error:
        raise UserError(str(error)) from error
    tables = {"vacancies": vacancy_rows(inventory), "hops": hop_rows(inventory.hops, field)}
    if insert is not None:
        tables |= {
            "interstitial_sites": interstitial_rows(inventory),
            "insertions": hop_rows(inventory.insertions, field),
        }
    if complexes:
        tables["complexes"] = complex_rows(inventory)
    if charges:
        tables["charges"] = charge_rows(inventory)
    if inventory.slabs:
        tables["slabs"] = slab_rows(inventory)
    console = Console()
    console.print(headline(inventory) + (f" As {words}." if words else ""), markup=False)
    for title, rows in tables.items():
        console.print(_table(title, rows))
    for reason in inventory.not_possible:
        console.print(f"not possible: {reason}", markup=False)
    if output is not None:
        console.print(f"{_write(inventory, tables, output)} structures in {output}", markup=False)
    return inventory


def vacancy_rows(inventory: Inventory) -> list[Row]:
    """One row per distinct vacancy; distances in Angstrom, charges in e."""
    from ...structures.defects.vacancies import counts_in_words

    rows = []
    for vacancy, pairs in zip(inventory.vacancies, inventory.collinear_pairs, strict=True):
        rows.append(
            {
                "vacancy": vacancy.label,
                "sites": vacancy.multiplicity,
                "near cations": counts_in_words(vacancy.near_cations),
                "pairs in line": counts_in_words(vacancy.pairs_in_line),
                "nearest mover (A)": None if vacancy.nearest_mover_A is None else f"{vacancy.nearest_mover_A:.3f}",
                "charges (e)": " ".join(f"{q:+d}" if q else "0" for q in vacancy.charge_states),
                "relation of the pair": "; ".join(_pair_in_words(inventory, p) for p in pairs),
            }
        )
    return rows


def _pair_in_words(inventory: Inventory, pair: CollinearPair) -> str:
    """The relation, and of which ion where that is not the host's main mover."""
    ion = "" if pair.ion == inventory.host.hops[0].ion else f"{pair.ion}: "
    return f"{pair.multiplicity} x {ion}{pair.relation}"


def hop_rows(hops: Sequence[Hop], field: Sequence[float] | None = None) -> list[Row]:
    """One row per distinct hop; lengths in Angstrom, the angle to the field in degrees."""
    from ...structures.cells.films import angle_to_field_deg

    rows: list[Row] = []
    for hop in hops:
        row: Row = {
            "hop": hop.label,
            "ways": hop.multiplicity,
            "length (A)": f"{hop.distance_A:.3f}",
            "displacement (A)": " ".join(f"{x:+.3f}" for x in hop.displacement_A),
            "ends exchanged by": ", ".join(hop.relations) or "none",
            "intermediates": "; ".join(hop.intermediate_labels) or "none",
        }
        if field is not None:
            row["angle to field (deg)"] = f"{angle_to_field_deg(hop.displacement_A, field):.1f}"
        rows.append(row)
    return rows


def interstitial_rows(inventory: Inventory) -> list[Row]:
    """One row per distinct empty polyhedron of the supercell; distances in Angstrom."""
    return [
        {
            "interstitial_site": name,
            "kind": v.kind,
            "places": v.multiplicity,
            "nearest anion (A)": f"{v.anion_A:.3f}",
            "nearest cation (A)": f"{v.cation_A:.3f}",
            "position": " ".join(f"{x:.5f}" for x in v.position),
        }
        for v, name in zip(inventory.interstitial_sites, inventory.interstitial_names, strict=True)
    ]


def complex_rows(inventory: Inventory) -> list[Row]:
    """One row per distinct complex of the supercell; distances in Angstrom, charges in e."""
    from ...structures.cells.supercell import supercell
    from ...structures.defects.complexes import charge_left

    big = supercell(inventory.cell, inventory.repeats)
    return [
        {
            "complex": c.label,
            "places": c.multiplicity,
            "largest distance (A)": f"{c.longest_A:.3f}",
            "charge if ionised (e)": f"{charge_left(big, c):+g}",
            "sites": " ".join(str(i) for i in c.sites),
        }
        for c in inventory.complexes
    ]


def charge_rows(inventory: Inventory) -> list[Row]:
    """One row per charge state and way to reach it; moments of the ordered cell without the ion, in muB."""
    return [
        {
            "vacancy": label,
            "charge (e)": f"{mode.charge_e:+d}" if mode.charge_e else "0",
            "made up for by": mode.label,
            "total moment (muB)": f"{mode.total_moment_muB:g}",
        }
        for label, mode in inventory.compensations
    ]


def slab_rows(inventory: Inventory) -> list[Row]:
    """One row per slab; lengths in Angstrom, moments in muB."""
    from ...structures.cells.film_cells import slab_name
    from ...structures.spins import total_moment

    return [
        {
            "slab": f"{number:02d}",
            "terminations": slab_name(slab),
            "atoms": len(slab),
            "height with vacuum (A)": f"{slab.lattice.c:.2f}",
            "total moment (muB)": f"{total_moment(slab):g}",
        }
        for number, slab in enumerate(inventory.slabs, start=1)
    ]


def _film(text: str) -> Film:
    from ...structures.cells.film_cells import Film
    from ...structures.io.untrusted_input import plain_yaml

    entries = plain_yaml(text if text.lstrip().startswith("{") else f"{{{text}}}", "--film")
    return Film.from_entries(entries)


def headline(inventory: Inventory) -> str:
    """One sentence on the cell and its moment, muB."""
    from ...structures.symmetry import space_group_symbol

    host, cell = inventory.host, inventory.cell
    # Antiparallel moments leave 1e-17 muB.
    moment = round(host.moment_per_formula(cell), 6) + 0.0
    repeats = "x".join(str(n) for n in inventory.repeats)
    return (
        f"{host.formula}, {host.title}, order {inventory.order}: {space_group_symbol(cell)} with spins, "
        f"{len(cell)} atoms, {moment:g} muB per formula unit; defects in {repeats} cells. "
        "Sites count in the cell, ways into one place."
    )


def _table(title: str, rows: Sequence[Row]) -> TerminalTable:
    table = TerminalTable(*(rows[0] if rows else ["none"]), title=title, title_justify="left")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    return table


def _write(inventory: Inventory, tables: dict[str, list[Row]], output: Path) -> int:
    from ...structures.io.files import inner_path, write_structure

    count = 0
    for name, structure in inventory.structures():
        file = output / inner_path(name.replace(",", "-"))
        file.parent.mkdir(parents=True, exist_ok=True)
        for ending in ENDINGS:
            write_structure(structure, file.parent / f"{file.name}{ending}")
        count += 1
    for title, rows in tables.items():
        with (output / f"{title}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]) if rows else [])
            writer.writeheader()
            writer.writerows(rows)
    return count
