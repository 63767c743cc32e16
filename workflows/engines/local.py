"""The embedded engine ``local``: rigid ions for energies, single-ion models for E(n). Seconds on a laptop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jobflow import job
from numpy.typing import NDArray

from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.magnetism.map_errors import PARAMETERS, ErrorPart
from ...analysis.results.document import Provenance
from ...calculators.field import UniformFieldCalculator
from ...calculators.parameter_sources import sources_line
from ...calculators.potentials import potential
from ...calculators.rigid_ion import RigidIonCalculator, model_charges, spread_charge
from ...calculators.single_ions import (
    MODELLED,
    SingleIonParameters,
    ions_within,
    open_shell_sites,
    restriction_error_eV,
    s_state_ions,
    single_ion_map,
)
from ...structures.spins import is_non_collinear, reduced_formula_units
from ..ase.atoms import to_atoms
from ..ase.jobs import AseEngine, plain_settings, versions
from ..ase.oxide_references import fit_references
from ..ase.size_corrections import correct_for_size
from ..band.ends import Mover, movers_of
from ..engine import CannotDoError, Capability
from ..evaluation.parameter_errors import parameter_error
from ..settings.bounds import require_positive

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from jobflow import Job
    from pymatgen.core import Structure

    from ...analysis.results.calculation import Calculation

# A sum to a hundredth is none: forces are the derivatives of such energies.
LEAST_ACCURACY = 1e-2
_WIDER = "softbv (bond valences), sevennet, chgnet, gpaw and vasp know more: --engine auto"
_LEFT_OUT = "electrons: rigid ions with fixed valences, no polarisation, no charge transfer"
_CHARGE = {
    "spread": "a missing charge is spread evenly over the cations other than the mover",
    "background": "a missing charge is made up for by a uniform background",
    "explicit": "a missing charge sits on the ions that a start chose, with formal valences",
}
_VALENCES = {
    "explicit": "ions oxidised or reduced beside a vacancy are those that its start chose",
}
_LEFT_OUT_SPIN_ORBIT = "single-ion parameters are assumed, not computed; magnitudes hold to an order"


@dataclass
class LocalEngine(AseEngine):
    """Rigid ions (Pedone et al., 10.1021/jp0611018) and single-ion models of Co2+, Fe2+ and Fe3+.

    Attributes
    ----------
    potential_name
        A pair potential of `calculators.potentials`.
    accuracy
        Relative accuracy of the Ewald sums.
    single_ions
        Parameters of the models of Co2+, Fe2+ and Fe3+.
    radius_A
        Compute only ions within this distance of the defect, where a flow names one; the anisotropy of the ions
        left out is measured on seven directions and given with the map. None computes all ions.
    temperature_K
        Of E(n): 0 for ground states, else the free energy over the populations of each ion's levels.
    charge_mode
        What becomes of the charge that a vacancy leaves: ``spread`` evenly over the cations but the mover,
        ``background`` (a uniform one; the ions keep their charges), or ``explicit`` (the structure's valences already
        add up to zero, see `structures.defects.charge_compensation`; a valence without a potential takes its nearest
        neighbour's).
    field_V_per_A
        Uniform internal field on the formal charges, V/Angstrom; needs a fixed cell.
    """

    name: ClassVar[str] = "local"
    level_of_theory: ClassVar[str] = "local"
    citations: ClassVar[tuple[str, ...]] = ("pedone2006",)
    summary: ClassVar[str] = "rigid-ion energies and single-ion anisotropy: seconds on a laptop, indicative numbers"

    blas_threads: ClassVar[int | None] = 1
    quick_forces: ClassVar[bool] = True
    no_charged_cells: ClassVar[str] = "rigid ions have no electrons, so no band edges and no Fermi level"
    phases_on_request: ClassVar[str] = (
        "rigid ions misjudge unlike oxides by the order of 1 eV per formula unit; ask with --stages to see it"
    )

    # A call costs milliseconds and the surrogate seconds: here the classic driver is done 20 times sooner.
    band_method: Literal["surrogate", "classic"] = "classic"
    potential_name: str = "pedone"
    accuracy: float = 1e-6
    single_ions: SingleIonParameters = field(default_factory=SingleIonParameters)
    radius_A: float | None = None
    temperature_K: float = 0.0
    field_V_per_A: tuple[float, float, float] = (0.0, 0.0, 0.0)
    charge_mode: Literal["spread", "background", "explicit"] = "spread"

    def __post_init__(self) -> None:
        """Refuse what no sum, sphere or population can be made of.

        Raises
        ------
        ValueError
            Naming the value and its range.
        """
        super().__post_init__()
        require_positive(self, ("accuracy", "radius_A"))
        if self.accuracy > LEAST_ACCURACY:
            raise ValueError(f"accuracy = {self.accuracy:g} must be at most {LEAST_ACCURACY:g}, of the Ewald sums")
        if self.temperature_K < 0:
            raise ValueError(f"temperature_K = {self.temperature_K:g} must not be negative")

    def cannot(self) -> dict[Capability, str]:
        """Nothing is missing; what each result leaves out is in its provenance."""
        return {}

    def check(self, structure: Structure) -> None:
        """Refuse species without a potential."""
        atoms = to_atoms(structure)
        try:
            self.charges(atoms, None)
        except ValueError as error:
            raise CannotDoError(f"engine local cannot describe this material: {error}; {_WIDER}") from error

    def cannot_start(self, kind: str) -> str:
        """Rigid ions localise a charge only where valences are explicit, and then need every charge placed."""
        explicit = self.charge_mode == "explicit"
        if kind in ("on anions", "mixed"):
            return "its potential knows one charge of an anion, and no spin; use the start localised"
        if kind == "localised" and not explicit:
            return "its ions keep their valences and the missing charge is spread; use the setting charge_mode explicit"
        if kind != "localised" and explicit:
            return "with charge_mode explicit every missing charge needs its ions: use the start localised"
        return ""

    def cannot_with(self, structure: Structure) -> dict[Capability, str]:
        """No anisotropy without an ion that has a single-ion model, or with moments that are no common axis."""
        if is_non_collinear(structure):
            reason = "its ions turn together along one axis, and these moments are vectors"
            return {**self.cannot(), "spin_orbit": reason}
        modelled, others = open_shell_sites(to_atoms(structure))
        if modelled:
            return self.cannot()
        if still := s_state_ions(to_atoms(structure)):
            reason = f"{', '.join(still)} is in an S state (4f7, no orbital moment): E(n) is zero and has no axis"
            return {**self.cannot(), "spin_orbit": reason}
        known = ", ".join(f"{e}{v}+" for e, v in MODELLED)
        none = f"here are {', '.join(others)}" if others else "this material has none"
        return {**self.cannot(), "spin_orbit": f"its single-ion models are for {known}, and {none}"}

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance with the potential, the bounds and the package versions."""
        return Provenance(
            engine=self.name,
            level_of_theory="local",
            functional=f"rigid ion, {self.potential_name}",
            settings={k: plain_settings(v) for k, v in self.settings().items()},
            versions=versions("magnetoionics", "ase", "pymatgen", "vesin"),
            left_out=[_LEFT_OUT, _CHARGE[self.charge_mode], *left_out],
        )

    def charges(self, atoms: Atoms, mover: Mover | None) -> NDArray[np.float64]:
        """Model charges in the engine's `charge_mode`.

        Raises
        ------
        ValueError
            If an ion has no potential, the mode is unknown, or explicit valences do not add up to zero.
        """
        if self.charge_mode == "spread":
            return self._spread(atoms, mover)
        if self.charge_mode == "background":
            return self.bare_charges(atoms)
        if self.charge_mode != "explicit":
            raise ValueError(f"charge_mode {self.charge_mode!r} is unknown; choose spread, background or explicit")
        net = float(atoms.arrays["valence"].sum())
        if abs(net) > 1e-6:
            raise ValueError(
                f"the valences add up to {net:+g}: with charge_mode 'explicit' some ions must change theirs "
                "(structures.defects.charge_compensation.compensated), or choose 'spread' or 'background'"
            )
        return np.asarray(atoms.arrays["valence"] * potential(self.potential_name).charge_scale)

    def bare_charges(self, atoms: Atoms) -> NDArray[np.float64]:
        """Model charges of the ions as they are, nothing spread."""
        model = potential(self.potential_name)
        return model_charges(atoms.get_chemical_symbols(), atoms.arrays["valence"], model)

    def _spread(self, atoms: Atoms, mover: Mover | None) -> NDArray[np.float64]:
        keep = atoms.arrays["valence"] < 0
        if mover is not None:
            keep[movers_of(mover)] = True
        return np.asarray(spread_charge(self.bare_charges(atoms), keep))

    def formal_charges(self, atoms: Atoms, mover: Mover | None) -> NDArray[np.float64]:
        """Formal charges of a neutral cell; with a uniform background those of the spread mode, as a field needs."""
        charges = self._spread(atoms, mover) if self.charge_mode == "background" else self.charges(atoms, mover)
        return charges / potential(self.potential_name).charge_scale

    def _tabulated(self, atoms: Atoms) -> NDArray[np.float64]:
        """Valences by which the short-range terms are chosen."""
        valence = np.asarray(atoms.arrays["valence"], dtype=float)
        if self.charge_mode != "explicit":
            return valence
        model = potential(self.potential_name)
        known = [model.valences(s) for s in atoms.get_chemical_symbols()]
        return np.array([min(k, key=lambda t: abs(t - v)) for k, v in zip(known, valence, strict=True)], dtype=float)

    def size_corrections(self, bulk: Calculation, repeats: tuple[int, int, int], sites: Sequence[int]) -> Job | None:
        """The missing charge meets its images, unless a start has put it on ions."""
        return None if self.charge_mode == "explicit" else correct_for_size(self, bulk, repeats, list(sites))

    def make_calculator(self, atoms: Atoms, mover: Mover | None) -> Calculator:
        """A rigid-ion calculator for a neutral cell, in the engine's field if there is one (zero energy at `atoms`)."""
        bare = RigidIonCalculator(
            self.potential_name,
            valences=self._tabulated(atoms),
            charges=self.charges(atoms, mover),
            accuracy=self.accuracy,
        )
        if not any(self.field_V_per_A):
            return bare
        return UniformFieldCalculator(bare, self.field_V_per_A, self.formal_charges(atoms, mover), atoms.positions)

    def relax(self, structure: Structure, *, name: str, cell: bool = False, mover: int | None = None) -> Job:
        """See `Engine.relax`; a moving cell in a field is refused, for the stress lacks the field's part."""
        if cell and any(self.field_V_per_A):
            raise CannotDoError("the cell cannot relax in a field: relax it at field zero, then the ions in the field")
        return super().relax(structure, name=name, cell=cell, mover=mover)

    def dipole_charges(self, atoms: Atoms, mover: Mover | None) -> tuple[NDArray[np.float64], str]:
        """Formal charges, which are close to Born charges in these oxides."""
        charges, note = self.formal_charges(atoms, mover), "formal charges"
        if mover is not None:
            lead = movers_of(mover)[0]
            note += f" (z = {charges[lead]:.3g} for {atoms.get_chemical_symbols()[lead]})"
        if self.charge_mode != "explicit":
            note += "; the missing charge is spread over the other cations"
        return charges, note

    def spin_orbit(
        self,
        structure: Structure,
        *,
        directions: Sequence[Sequence[float]],
        state: str,
        name: str,
        near: Sequence[float] | None = None,
    ) -> Job:
        """E(n) summed over the ions that have a single-ion model; `near` counts only with a `radius_A`."""
        map_job = single_ion_anisotropy(self, structure, directions=directions, state=state, near=near)
        map_job.name = name
        return map_job

    def at_temperature(self, temperature_K: float, order: float) -> LocalEngine:
        """The engine whose E(n) is a free energy at a temperature, exchange fields times M(T)/M(0)."""
        return replace(self, temperature_K=temperature_K, single_ions=self.single_ions.with_order(order))

    def references(self, formulas: Sequence[str], *, name: str) -> Job:
        """Element energies fitted to the experimental enthalpies of these oxides."""
        fit = fit_references(self, list(formulas))
        fit.name = name
        return fit


@job
def single_ion_anisotropy(
    engine: LocalEngine,
    structure: Structure,
    *,
    directions: Sequence[Sequence[float]],
    state: str,
    near: Sequence[float] | None = None,
) -> AnisotropyMap:
    """E(n) in meV per cell; outputs an `AnisotropyMap`."""
    atoms = to_atoms(structure)
    charges = engine.formal_charges(atoms, None)
    inside = None if near is None or engine.radius_A is None else ions_within(atoms, near, engine.radius_A)
    # One thread: the order of a sum changes the last digits, and results must not depend on who computed them.
    with engine.quiet():
        single_ions = single_ion_map(
            atoms, charges, directions, parameters=engine.single_ions, sites=inside, temperature_K=engine.temperature_K
        )
    valences = _VALENCES.get(
        engine.charge_mode, "valences stay as stated, so that ions oxidised or reduced beside a vacancy are not"
    )
    single = f"single ions in a mean field: no anisotropic exchange, no dipolar (shape) part; {valences}"
    notes, error = [sources_line(), single, _LEFT_OUT_SPIN_ORBIT], None
    if single_ions.left_out:
        missing = ", ".join(f"{n} {name}" for name, n in single_ions.left_out.items())
        notes.append(f"ions without a model: {missing}")
    if still := s_state_ions(atoms):
        ions = ", ".join(f"{n} {name}" for name, n in still.items())
        notes.append(f"{ions} in S states (4f7, no orbital moment): they add nothing")
    if inside is not None:
        error = 1000.0 * restriction_error_eV(
            atoms, charges, inside, parameters=engine.single_ions, temperature_K=engine.temperature_K
        )
        notes.append(f"only ions within {engine.radius_A:g} A of the defect; those left out vary by {error:.3g} meV")
    if state == "pristine":
        with engine.quiet():
            of_parameters = parameter_error(atoms, charges, engine.single_ions, engine.temperature_K)
    else:
        of_parameters = ErrorPart(source=PARAMETERS, note="measured for the host alone")
    total = 1000.0 * single_ions.total_eV
    ions = 1000.0 * (single_ions.energies_eV - single_ions.energies_eV.min(axis=1, keepdims=True))
    return AnisotropyMap(
        state=state,
        directions=np.asarray(directions, dtype=float).tolist(),
        energies_meV=[float(x) for x in total - total.min()],
        cell_volume_A3=float(structure.volume),
        formula_units=reduced_formula_units(structure),
        ions=single_ions.names,
        restriction_error_meV=error,
        temperature_K=engine.temperature_K,
        error_parts=[of_parameters],
        ion_sites=single_ions.sites,
        ion_energies_meV=np.round(ions, 6).tolist(),
        provenance=engine.provenance(notes),
    )


ENGINE = LocalEngine
