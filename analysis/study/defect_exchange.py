"""The charged defects of a study as doped, pymatgen-analysis-defects and py-sc-fermi read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...structures.cells.supercell import supercell
from ..defects.charge_states import FermiDiagram, fermi_diagram
from ..defects.defect_thermodynamics import DefectThermodynamics
from ..defects.doped_exchange import defect_entries, to_doped, to_py_sc_fermi
from ..defects.equilibria import BROUWER_TEMPERATURE_K, defect_host
from ..thermodynamics.named_points import named_point
from ..thermodynamics.phases import formula_composition
from .documents import Study

if TYPE_CHECKING:
    from pymatgen.core import Structure


def study_entries(study: Study) -> list[Any]:
    """``DefectEntry`` objects of pymatgen-analysis-defects; empty without charge states.

    Raises
    ------
    MissingDefectLibraryError
        If that package is not installed.
    """
    if study.charged is None:
        return []
    return defect_entries(study.charged, study.host.structure, study_supercell(study), _host_energy_eV(study))


def study_doped(study: Study) -> Any | None:
    """Doped's ``DefectThermodynamics`` with the study's chemical potentials; None without charge states.

    Raises
    ------
    MissingDefectLibraryError
        If doped is not installed.
    """
    if study.charged is None:
        return None
    known = study.chemical_potentials
    return to_doped(
        study.charged,
        study.host.structure,
        study_supercell(study),
        _host_energy_eV(study),
        window=None if known is None else known.window,
        references=None if known is None else known.references,
    )


def study_thermodynamics(study: Study) -> DefectThermodynamics | None:
    """Charge states with sites, window, references and edges, for any temperature and pressure; None without them."""
    known = study.chemical_potentials
    if study.charged is None or known is None:
        return None
    units = _units(study)
    return DefectThermodynamics(
        defects=study.charged.formations(),
        host=defect_host(
            study.host.formula,
            formula_composition(study.host.formula),
            study.host.structure.volume / units,
            study.charged.sound_states,
            units,
        ),
        window=known.window,
        references=known.references,
        edges=study.charged.edges,
        free_energies=True,
    )


def study_fermi(study: Study, point: str = "middle") -> FermiDiagram | None:
    """Formation diagram at a point in words, see `named_points.named_point`; None without charge states.

    Raises
    ------
    ValueError
        If the point cannot be read or lies outside the region.
    """
    system = study_thermodynamics(study)
    if system is None or system.edges is None:
        return None
    potentials = named_point(system.window, point)
    return fermi_diagram(system.defects, system.edges, system.window, system.references, potentials)


def study_py_sc_fermi(study: Study, temperature_K: float = BROUWER_TEMPERATURE_K) -> dict[str, Any] | None:
    """A ``DefectSystem`` of py-sc-fermi in the middle of the window; None without charges or a density of states."""
    system = study_thermodynamics(study)
    if system is None or system.edges is None or system.edges.dos_energies_eV is None:
        return None
    system = system.at_temperature(temperature_K)
    middle = 0.5 * (system.window.delta_mu_O_min_eV + system.window.delta_mu_O_max_eV)
    return to_py_sc_fermi(system, temperature_K, middle)


def _units(study: Study) -> float:
    cell = study.host.structure
    return float(cell.num_sites / sum(formula_composition(study.host.formula).values()))


def study_supercell(study: Study) -> Structure:
    """The perfect cell that the defects' cells are compared with."""
    a, b, c = study.engine.supercell_repeats
    return supercell(study.host.structure, (a, b, c))


def _host_energy_eV(study: Study) -> float:
    """Of the supercell; 0 where the study does not keep it, as entries are used through differences."""
    known = study.chemical_potentials
    own = None if known is None else known.host_energy_eV
    large = float(study_supercell(study).num_sites / study.host.structure.num_sites)
    return 0.0 if own is None else own * _units(study) * large
