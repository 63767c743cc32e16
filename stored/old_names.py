"""Module names of version 1, under which its stores name documents, settings and job functions.

Frozen: nothing is ever taken away. `OldModules` makes them importable, so that also a decoder that knows nothing of
this package's stores finds them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import PACKAGE
from .renamed import NAMES

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:
    # What `importlib` asks of both is methods; their module takes longer to load than the rest of this package's names.
    Loader = MetaPathFinder = object

# Module: what it stored; ``old=stored`` where two had one name.
MODULES: Mapping[str, str] = {
    "analysis.anisotropy": "AnisotropyMap AnisotropySummary CubicConstants",
    "analysis.binding": "BindingSample Effect VacancyBinding",
    "analysis.brouwer": "BrouwerCurve BrouwerDiagram FilmPoint RatioRange",
    "analysis.calculation": "Band BandImage Calculation Check",
    "analysis.charge_corrections": "ChargeCorrection PlanarPotential SitePotentials",
    "analysis.charge_states": "BandEdges ChargeLine FermiDiagram TransitionLevel",
    "analysis.charged_cells": "ChargedCell ChargedVacancies ChargedVacancy DielectricResult",
    "analysis.chemical_potentials": "ChemicalPotentials WindowEdge",
    "analysis.competing_window": "CompetingPhasesResult",
    "analysis.computed_phases": "ComputedPhases LadderStep ReferenceSet",
    "analysis.concentrations": "ConcentrationSet DefectConcentration DefectSites SolidSolution",
    "analysis.consistency": "ComputedEnergy",
    "analysis.declarations": "Declarations",
    "analysis.defect_study": "DefectEquilibria",
    "analysis.defect_vibrations": "CellModes VibrationalTerm",
    "analysis.defects": "VacancyFormation",
    "analysis.device_study": "DeviceResult FilmDeclaration",
    "analysis.document": "Document Provenance",
    "analysis.ensemble": "Curve EnsembleParameters",
    "analysis.ensemble_fit": "EnsembleFit",
    "analysis.evidence": "Evidence StartGeometry",
    "analysis.exchange": "ExchangeBonds FourStateResult MagnetisationCurve",
    "analysis.field_tiers": "FieldPoint FieldStudy",
    "analysis.figures_of_merit": "FiguresOfMerit",
    "analysis.formation": "FormationLine FormationLines RankedDefect",
    "analysis.found_compensation": "ChangedIon SiteMoment",
    "analysis.frozen_reference": "FrozenCoupling FrozenReference",
    "analysis.hops": "HopSet",
    "analysis.kinetics": "Retention RetentionPoint",
    "analysis.lithiation": "MomentCurve",
    "analysis.loops": "Loop SwitchingPath SwitchingStep",
    "analysis.migration": "Migration ProfilePoint",
    "analysis.pair_documents": "PairRelation StatePair",
    "analysis.phases": "Phase",
    "analysis.polarisation": "Polarisation",
    "analysis.potential_edges": "PotentialEdge",
    "analysis.profiles": "FieldBarrier",
    "analysis.reduced_directions": "ReducedDirections",
    "analysis.references": "CompoundEnergy SpeciesFit",
    "analysis.site_charges": "SiteCharges",
    "analysis.sphere_paths": "EasyAxisBarriers",
    "analysis.study": "AnisotropyResult ChemicalPotentialsResult Claim EnergyRange EngineResult "
    "GasPoint HostResult OrderEnergy StageResult Study VacancyResult",
    "analysis.switching": "FieldPulse",
    "analysis.uniaxial": "UniaxialConstants",
    "analysis.unidirectional": "UnidirectionalResult UnidirectionalState",
    "analysis.vacancies": "StartEnergy VacancySet VacancyState",
    "analysis.vibrations": "AttemptFrequency Modes ShellPrefactor",
    "calculators.ligand_field": "LigandFieldParameters",
    "calculators.single_ions": "SingleIonParameters",
    "calculators.spin_hamiltonian": "FerricParameters",
    "hpc.cluster.hand_over": "hand_over",
    "structures.compensation": "Compensation",
    "structures.complexes": "DefectComplex PointDefect",
    "structures.hops": "Hop",
    "structures.partners": "PartnerPair",
    "structures.starts": "DefectStart",
    "structures.user_host": "HostReference",
    "structures.vacancies": "VacancySite",
    "structures.voids": "Void",
    "workflows.anisotropy": "AnisotropyMaker collect_maps expand_map",
    "workflows.ase_jobs": "AseEngine converge_band relax_structure static_structure",
    "workflows.band": "BandSettings",
    "workflows.band_states": "SurrogateSettings",
    "workflows.binding": "BindingMaker collect_binding take_out",
    "workflows.building": "accept_structure build_hop build_start build_supercell",
    "workflows.charged_defects": "ChargedVacanciesMaker collect_charged",
    "workflows.competing_phases": "CompetingPhasesMaker collect_phases",
    "workflows.defect_vibrations": "DefectVibrationsMaker cell_modes",
    "workflows.engine": "Engine",
    "workflows.engines.ase": "AseCalculatorEngine",
    "workflows.engines.chgnet": "ChgnetEngine",
    "workflows.engines.gpaw": "GpawEngine",
    "workflows.engines.local": "LocalEngine single_ion_anisotropy",
    "workflows.engines.sevennet": "SevenNetEngine",
    "workflows.engines.vasp": "VaspEngine",
    "workflows.exchange": "FourStateMaker map_exchange",
    "workflows.field_bands": "FieldMaker collect_field",
    "workflows.field_jobs": "band_in_field",
    "workflows.fields": "FieldRequest field_direction",
    "workflows.frozen_exchange": "FrozenExchangeMaker read_coupling turn_frozen",
    "workflows.gpaw.charged": "charged_cell",
    "workflows.gpaw.jobs": "as_measured born_charge_of_ion map_of_state polarisation_of polarise_path",
    "workflows.gpaw.settings": "GpawSettings",
    "workflows.hops": "AllHopsMaker build_numbered_hop collect_hops read_numbered",
    "workflows.ion_engine": "IonEngine",
    "workflows.migration": "MigrationMaker read_migration",
    "workflows.ml_engine": "MLEngine",
    "workflows.oxide_references": "fit_references",
    "workflows.study": "MagnetoionicStudyMaker assemble_study",
    "workflows.vacancies": "VacancyFormationMaker collect_vacancies vacancy_structure",
    "workflows.vasp.anisotropy_map": "collect_directions",
    "workflows.vasp.charged": "DielectricTensorMaker read_charged read_dielectric with_charge",
    "workflows.vasp.field": "FieldMaker=VaspFieldMaker PolarisationMaker dress_band "
    "polarise_band read_in_field read_polarisation start_in_field",
    "workflows.vasp.jobs": "MagneticRelaxMaker MagneticStaticMaker read_calculation",
    "workflows.vasp.neb": "Segment assemble_band read_segment relax_trials split_band",
    "workflows.vasp.references": "fit_references=fit_vasp_references",
    "workflows.vasp.segment": "SegmentMaker",
    "workflows.vasp.settings": "SpinOrbitSettings VaspBandSettings VaspCommands VaspSettings",
    "workflows.vasp.spin_orbit": "CollinearDensityMaker DirectionEnergy DirectionMaker read_density read_direction",
    "workflows.vasp.starts": "keep_lowest relax_starts",
    "workflows.vibration_jobs": "vibrations_here",
    "workflows.vibrations": "VibrationsMaker modes_of_statics vibrations_by_statics",
}


def stored_name(module: str, name: str) -> str | None:
    """Stored name of what an old module held; None if it stored nothing of this name.

    Parameters
    ----------
    module
        Relative to the package, e.g. ``analysis.calculation``.
    name
        Of a class or function there.
    """
    for entry in MODULES.get(module, "").split():
        old, _, new = entry.partition("=")
        if old == name:
            return new or old
    return None


@cache
def old_homes() -> Mapping[str, tuple[str, str]]:
    """Module and name in version 1 of everything that it stored, by the name of today."""
    homes = {}
    for module, entries in MODULES.items():
        for entry in entries.split():
            old, _, new = entry.partition("=")
            stored = new or old
            homes[NAMES.get(stored, stored)] = (module, old)
    return homes


def _old_attribute(module: str, name: str) -> Any:
    """What an old module stored under a name.

    Parameters
    ----------
    module
        Its whole name.
    name
        Of the class or function.

    Raises
    ------
    AttributeError
        If it stored nothing of this name.
    """
    from .resolve import stored_object

    module_name = stored_name(module.removeprefix(f"{PACKAGE}."), name)
    if module_name is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return stored_object(module_name)


class _Remembers(SourceFileLoader):
    """Loads a module that version 1 had too, or a package of its name, and lets it know what it stored then."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        super().exec_module(module)
        vars(module).setdefault("__getattr__", partial(_old_attribute, module.__name__))


class _IsGone(Loader):
    """Makes a module that is no more: it knows what it stored, and nothing else."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As Python makes one."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Give it its classes and functions by name."""
        vars(module)["__getattr__"] = partial(_old_attribute, module.__name__)


class OldModules(MetaPathFinder):
    """Finds modules of version 1, where they are today or as a name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Specification of an old module; None for all others."""
        package, _, module = fullname.partition(".")
        if package != PACKAGE or module not in MODULES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return ModuleSpec(fullname, _IsGone())
        if isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Remembers(spec.loader.name, spec.loader.path)
        return spec


def install() -> None:
    """Let Python import the old names."""
    if not any(isinstance(finder, OldModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, OldModules())
