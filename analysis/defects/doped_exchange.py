"""The same defects in doped, pymatgen-analysis-defects and py-sc-fermi: objects of theirs made of ours, and back.

Their files are written from these by their own methods, or as JSON, so that each package reads what it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.core import Composition, Element, PeriodicSite, Structure

from ...structures.defects.difference import SiteChange, cell_difference
from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.document import Provenance
from ..thermodynamics.phases import Phase
from ..thermodynamics.references import ReferenceEnergies, SpeciesFit
from ..thermodynamics.stability_window import ChemicalPotentials, at, stability_window
from .charge_corrections import import_library
from .charge_states import BandEdges, charge_lines
from .charged_cells import ChargedVacancies, ChargedVacancy
from .concentrations import DefectSites, SolidSolution
from .defect_thermodynamics import DefectThermodynamics
from .degeneracy import spin_states
from .exchange_formats import from_defect_entries

if TYPE_CHECKING:
    from pymatgen.entries.computed_entries import ComputedStructureEntry


def defect_entries(
    charged: ChargedVacancies,
    ordered: Structure,
    supercell: Structure,
    host_energy_eV: float = 0.0,
    *,
    library: str = "pymatgen.analysis.defects",
) -> list[Any]:
    """Every sound charge state as a ``DefectEntry`` with its bulk entry, correction and degeneracy.

    Parameters
    ----------
    charged
        Charge states as computed.
    ordered
        Perfect cell whose sites the multiplicities count.
    supercell
        The same crystal, as large as the defects' cells.
    host_energy_eV
        Energy of `supercell`; differences need none.
    library
        ``pymatgen.analysis.defects`` or ``doped``, whose classes are made.

    Returns
    -------
    list
        A complex of several sites is left out: one entry holds one defect site.

    Raises
    ------
    MissingDefectLibraryError
        If the library is not installed.
    ValueError
        For another library, or a state without its relaxed cell.
    """
    if library not in ("pymatgen.analysis.defects", "doped"):
        raise ValueError(f"entries of {library!r} are not known; take pymatgen.analysis.defects or doped")
    # doped comes with the package that distorts bonds.
    source = (library.replace(".", "-"), "distortions" if library == "doped" else "defects")
    kinds = import_library(f"{library}.core", *source)
    entry_class = kinds.DefectEntry if library == "doped" else import_library(f"{library}.thermo", *source).DefectEntry
    bulk = _entry(supercell, host_energy_eV, "bulk")
    out = []
    for state in charged.sound_states:
        if state.structure is None:
            raise ValueError(f"{state.label} with q = {state.charge:+d} has no relaxed cell: compute it anew")
        changes = cell_difference(supercell, state.structure).changes
        if len(changes) != 1:
            continue
        more = {} if library != "doped" else _doped_fields(state, charged.edges, supercell, changes[0])
        out.append(
            entry_class(
                defect=_defect(kinds, state, ordered, supercell, changes[0]),
                charge_state=state.charge,
                sc_entry=_entry(state.structure, host_energy_eV + state.energy_difference_eV, state.label),
                bulk_entry=bulk,
                corrections={f"{c.method} correction": c.total_eV for c in state.corrections[:1]},
                corrections_metadata={f"{c.method} correction_error": c.error_eV for c in state.corrections[:1]},
                sc_defect_frac_coords=tuple(changes[0].position),
                **more,
            )
        )
    return out


def _entry(structure: Structure, energy_eV: float, name: str) -> ComputedStructureEntry:
    from pymatgen.entries.computed_entries import ComputedStructureEntry

    bare = Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)
    return ComputedStructureEntry(bare, energy_eV, entry_id=name)


def _defect(kinds: Any, state: ChargedVacancy, ordered: Structure, supercell: Structure, change: SiteChange) -> Any:
    """Vacancy, substitution or interstitial of a library, at its place in the ordered cell."""
    bare = Structure(ordered.lattice, [s.specie.symbol for s in ordered], ordered.frac_coords)
    place = ordered.lattice.get_fractional_coords(supercell.lattice.get_cartesian_coords(change.position)) % 1.0
    kind = kinds.Vacancy if change.added is None else kinds.Substitution if change.removed else kinds.Interstitial
    if change.removed:
        # The library looks the site up by its coordinates.
        place = bare[int(np.argmin(bare.lattice.get_all_distances(place, bare.frac_coords)[0]))].frac_coords
    site = PeriodicSite(Element(change.added or change.removed or ""), place, bare.lattice)
    return kind(bare, site, multiplicity=state.multiplicity, oxi_state=0, equivalent_sites=[site])


def _doped_fields(state: ChargedVacancy, edges: BandEdges, supercell: Structure, change: SiteChange) -> dict[str, Any]:
    """What doped keeps beside the fields of pymatgen-analysis-defects."""
    site = PeriodicSite(Element(change.removed or change.added or ""), change.position, supercell.lattice)
    assert state.structure is not None
    spins = spin_states(supercell, state.total_moment_muB)
    return {
        "name": f"{state.label}_{state.charge:+d}" if state.charge else f"{state.label}_0",
        "degeneracy_factors": {"spin degeneracy": spins, "orientational degeneracy": state.degeneracy / spins},
        "defect_supercell": _entry(state.structure, 0.0, "").structure,
        "defect_supercell_site": site,
        "bulk_supercell": _entry(supercell, 0.0, "").structure,
        "calculation_metadata": {"vbm": edges.vbm_eV, "gap": edges.gap_eV, "bulk_site": site},
    }


def to_doped(
    charged: ChargedVacancies,
    ordered: Structure,
    supercell: Structure,
    host_energy_eV: float = 0.0,
    *,
    window: ChemicalPotentials | None = None,
    references: SpeciesFit | Mapping[str, float] | None = None,
) -> Any:
    """Doped's ``DefectThermodynamics`` of the same defects; its own ``to_json`` writes it.

    Parameters
    ----------
    charged, ordered, supercell, host_energy_eV
        As in `defect_entries`.
    window, references
        Corners of the stability region become doped's limits; None leaves the potentials at zero.

    Raises
    ------
    MissingDefectLibraryError
        If doped is not installed.
    """
    thermodynamics = import_library("doped.thermodynamics", "doped", "distortions")
    entries = defect_entries(charged, ordered, supercell, host_energy_eV, library="doped")
    return thermodynamics.DefectThermodynamics(
        entries,
        chempots=None if window is None or references is None else _limits(window, references),
        vbm=charged.edges.vbm_eV,
        band_gap=charged.edges.gap_eV,
        bulk_dos=fermi_dos(charged.edges, ordered),
        # Fitted references give the host the energy of its measured enthalpy, not of the cell.
        check_compatibility=False,
    )


def _limits(window: ChemicalPotentials, references: SpeciesFit | Mapping[str, float]) -> dict[str, Any]:
    own = references.reference_energies_eV if isinstance(references, SpeciesFit) else references
    energies = {el: float(own[el]) for el in window.elements}
    relative = {
        "-".join([window.host_formula, *phases]): dict(corner)
        for corner, phases in zip(window.vertices, window.vertex_phases, strict=True)
    }
    return {
        "limits": {name: {el: mu + energies[el] for el, mu in c.items()} for name, c in relative.items()},
        "elemental_refs": energies,
        "limits_wrt_el_refs": relative,
    }


def fermi_dos(edges: BandEdges, cell: Structure) -> Any:
    """Density of states of some band edges as pymatgen's ``FermiDos`` of a cell; None where there is none."""
    if edges.dos_energies_eV is None or edges.dos_states_per_eV is None or edges.dos_volume_A3 is None:
        return None
    from pymatgen.electronic_structure.core import Spin
    from pymatgen.electronic_structure.dos import Dos, FermiDos

    energies = np.array(edges.dos_energies_eV)
    states = np.array(edges.dos_states_per_eV) * cell.volume / edges.dos_volume_A3
    middle = edges.vbm_eV + 0.5 * edges.gap_eV
    electrons = float(np.trapezoid(np.where(energies < middle, states, 0.0), energies))
    return FermiDos(Dos(middle, energies, {Spin.up: states}), structure=cell, nelecs=electrons)


def from_doped(thermodynamics: Any, provenance: Provenance) -> DefectThermodynamics:
    """Defects, potentials, degeneracies and density of states of doped's ``DefectThermodynamics`` in our own.

    Parameters
    ----------
    thermodynamics
        Its entries corrected; with limits of the chemical potentials that are corners of the host's stability region.
    provenance
        Functional and U of the cells.

    Raises
    ------
    ValueError
        If there are no limits, or as `exchange_formats.from_defect_entries`.
    """
    entries = list(thermodynamics.defect_entries.values())
    limits = (thermodynamics.chempots or {}).get("limits_wrt_el_refs")
    if not limits or not thermodynamics.el_refs:
        raise ValueError("the DefectThermodynamics has no limits of the chemical potentials: add them in doped first")
    vbm = float(thermodynamics.vbm)
    names = {id(e): e.name.rsplit("_", 1)[0] for e in entries}
    edges = BandEdges(
        vbm_eV=vbm,
        gap_eV=float(thermodynamics.band_gap),
        source="doped",
        provenance=provenance,
        **_states_of(thermodynamics.bulk_dos),
    )
    return DefectThermodynamics(
        defects=from_defect_entries(entries, vbm, provenance, label=lambda entry: names[id(entry)]),
        host=_solution(entries, names, thermodynamics.clustered_defect_entries),
        window=window_of_limits(entries[0].bulk_entry.composition.reduced_formula, limits, provenance),
        references=ReferenceEnergies(dict(thermodynamics.el_refs), provenance=provenance),
        edges=edges,
    )


def window_of_limits(
    host_formula: str, limits: Mapping[str, Mapping[str, float]], provenance: Provenance
) -> ChemicalPotentials:
    """Stability region whose corners are doped's limits: each phase that a limit names is in equilibrium there.

    Parameters
    ----------
    host_formula
        Reduced formula.
    limits
        Potentials against the elements (eV) by name; a name joins the formulas of its phases with ``-``.
    provenance
        Of the energies.
    """
    energies: dict[str, float] = {}
    for name, potentials in limits.items():
        for formula in {host_formula, *name.split("-")}:
            atoms = Composition(formula).as_dict()
            if len(atoms) > 1 and set(atoms) <= set(potentials):
                energies[formula] = sum(n * float(potentials[el]) for el, n in atoms.items())
    return stability_window(
        host_formula,
        [Phase(formula=f, formation_energy_eV=e, source="doped", provenance=provenance) for f, e in energies.items()],
    )


def _states_of(dos: Any) -> dict[str, Any]:
    if dos is None:
        return {}
    return {
        "dos_energies_eV": [float(x) for x in dos.energies],
        "dos_states_per_eV": [float(x) for x in dos.tdos],
        "dos_volume_A3": float(dos.volume),
    }


def _solution(entries: Sequence[Any], names: Mapping[int, str], clusters: Mapping[Any, Any]) -> SolidSolution:
    """Sites by doped's clusters, whose members exclude each other; degeneracies as its entries say."""
    bulk = entries[0].bulk_entry.composition
    formula, units = bulk.get_reduced_formula_and_factor()
    own = {names[id(e)]: e for e in entries}
    sites = []
    for label, entry in own.items():
        cluster = next(number for number, members in clusters.items() if entry in members)
        per_cell = entry.defect.structure.composition.get_reduced_formula_and_factor()[1]
        kind = entry.defect.defect_type.name
        sites.append(
            DefectSites(
                label=label,
                # Interstitials stand near to each other without sharing a place.
                site=label if kind == "Interstitial" else f"site {cluster}",
                per_formula=entry.defect.multiplicity / per_cell,
                degeneracy={
                    int(e.charge_state): float(np.prod(list(e.degeneracy_factors.values())))
                    for e in entries
                    if names[id(e)] == label
                },
            )
        )
    return SolidSolution(
        formula=formula,
        composition={str(el): float(n) for el, n in Composition(formula).items()},
        volume_A3=float(entries[0].bulk_entry.structure.volume / units),
        sites=sites,
        removed={label: {str(el): -int(n) for el, n in e.defect.element_changes.items()} for label, e in own.items()},
    )


def to_py_sc_fermi(
    system: DefectThermodynamics, temperature_K: float, delta_mu_O_eV: float, *, fraction: float = 0.5
) -> dict[str, Any]:
    """What ``py_sc_fermi.defect_system.DefectSystem.from_dict`` reads: JSON of one point of the stability region.

    py-sc-fermi knows no competition for sites, so dense defects come out denser there.

    Parameters
    ----------
    system
        Defects with a density of states among their band edges.
    temperature_K, delta_mu_O_eV, fraction
        As in `DefectThermodynamics.concentrations`.

    Raises
    ------
    ValueError
        Without a density of states, or as `stability_window.at`.
    """
    edges = system.edges
    if edges is None or edges.dos_energies_eV is None or edges.dos_volume_A3 is None:
        raise ValueError("py-sc-fermi counts carriers from a density of states, which the band edges do not have")
    window = system.at_temperature(temperature_K).window
    point = at(window, delta_mu_O_eV, fraction)
    lines = charge_lines(system.defects, edges, window, system.references, point)
    units = edges.dos_volume_A3 / system.host.volume_A3
    energies = np.array(edges.dos_energies_eV) - edges.vbm_eV
    states = np.array(edges.dos_states_per_eV or [])
    species = []
    for site in system.host.sites:
        charges = {
            line.charge: {
                "charge": line.charge,
                "energy": line.at_vbm_eV,
                "degeneracy": site.states_at(line.charge, BOLTZMANN_eV_PER_K * temperature_K),
            }
            for line in lines
            if line.label == site.label
        }
        species.append({"name": site.label, "nsites": site.per_formula * units, "charge_states": charges})
    below = np.where(energies < 0.5 * edges.gap_eV, states, 0.0)
    return {
        "volume": edges.dos_volume_A3,
        "temperature": temperature_K,
        "defect_species": species,
        "dos": {
            "nelect": float(np.trapezoid(below, energies)),
            "bandgap": edges.gap_eV,
            "edos": energies.tolist(),
            "dos": states.tolist(),
            "spin_pol": False,
        },
    }
