"""The engine ``vasp``: DFT+U through atomate2, custodian and a guard for every known silent error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ...analysis.results.document import Provenance
from ...stored.renamed import upgraded, warn_of
from ..band.ends import Mover
from ..engine import CannotDoError, Capability, Engine, Protocol
from ..settings.bounds import require_finite_settings
from ..vasp.functionals import linear_response
from ..vasp.settings import (
    SpinOrbitSettings,
    VaspBandSettings,
    VaspCommands,
    VaspSettings,
    VaspSettingsError,
    in_field,
    map_settings,
)

if TYPE_CHECKING:
    from pathlib import Path

    from jobflow import Flow
    from pymatgen.core import Structure

    from ...structures.host import Host
    from ..jobs.expected_cost import ExpectedCost
    from ..vasp.plan import PlannedJob

# atomate2 takes ten seconds and more to import: that waits until a job is made.
if find_spec("atomate2") is None:
    raise ModuleNotFoundError("No module named 'atomate2'", name="atomate2")


@dataclass
class VaspEngine(Engine):
    """VASP with DFT+U through atomate2.

    Attributes
    ----------
    dft
        Numerical settings that all jobs share.
    commands
        How VASP is started.
    path
        How a band is converged.
    anisotropy
        How E(n) is computed.
    dipoles
        Where a band's dipoles come from: formal charges, Born charges of every image, or its Berry phase.
    electronic_starts
        Start moments that a relaxation of the ions tries, see `vasp.starts`; the lowest result is kept.
    occupation_matrices
        Text of an ``OCCMATRIX`` file by the name of a relaxation or single point, such as ``"V_Fe(B) relax"`` or, with
        several starts, ``"V_Fe(B) relax, Fe4+"``; for a VASP with occupation-matrix control (OCCEXT = 1). Ions are
        numbered as in the POSCAR that ``magnetoionics inputs`` writes. Directions of E(n) have their own in
        `anisotropy`.
    most_vacancies
        Most distinct vacancies of a study that names none, see `structures.defects.vacancies.representatives`; null for
        all of them.
    incar, potcar
        The user's own tags by kind of job, see `vasp.tags`, and PAW data sets by element, see `vasp.potcars`; they
        become those of `dft`.
    """

    name: ClassVar[str] = "vasp"
    level_of_theory: ClassVar[str] = "VASP"
    dear_spin_orbit: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("vasp1996", "paw1999", "blochl1994", "atomate2")
    summary: ClassVar[str] = "DFT+U with VASP through atomate2: first principles, on a cluster with a VASP licence"

    marks_its_runs: ClassVar[bool] = True

    dft: VaspSettings = field(default_factory=VaspSettings)
    commands: VaspCommands = field(default_factory=VaspCommands)
    path: VaspBandSettings = field(default_factory=VaspBandSettings)
    anisotropy: SpinOrbitSettings = field(default_factory=SpinOrbitSettings)
    dipoles: Literal["formal", "Born", "Berry"] = "formal"
    electronic_starts: Sequence[str] = ("nominal",)
    occupation_matrices: Mapping[str, str] = field(default_factory=dict)
    most_vacancies: int | None = 12
    incar: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    potcar: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from ..vasp.starts import check_starts

        require_finite_settings(self)
        if "declared" in self.electronic_starts:
            warn_of("electronic_starts", "declared", "nominal", 4)
            words = {"electronic_starts": self.electronic_starts, "occupation_matrices": self.occupation_matrices}
            vars(self).update(upgraded(type(self).__name__, words, 2))
        check_starts(self.electronic_starts)
        if self.most_vacancies is not None and self.most_vacancies < 1:
            raise VaspSettingsError(f"most_vacancies = {self.most_vacancies} must be at least 1, or null for all")
        if self.incar or self.potcar:
            self.dft = replace(self.dft, incar=self.incar or self.dft.incar, potcar=self.potcar or self.dft.potcar)
        if self.path.field_V_per_A is not None:
            self.dft = in_field(self.dft)
        reason = linear_response(self.dft.functional)
        if self.dipoles == "Born" and reason:
            raise VaspSettingsError(f"dipoles: Born charges cannot be had: {reason}")

    def vacancy_limit(self) -> int | None:
        """See `Engine.vacancy_limit`."""
        return self.most_vacancies

    def map_order(self, asked: int) -> int:
        """See `Engine.map_order`; that of `anisotropy`, which a protocol sets."""
        return self.anisotropy.lebedev_order or asked

    @classmethod
    def protocols(cls) -> Mapping[Protocol, dict[str, Any]]:
        """See `Engine.protocols`."""
        from ..vasp.protocols import protocol_options

        return protocol_options()

    def cannot(self) -> dict[Capability, str]:
        """Linear response beyond a generalised gradient; what each result leaves out is in its provenance."""
        reason = linear_response(self.dft.functional)
        return {"dielectric": reason} if reason else {}

    def check(self, structure: Structure) -> None:
        """Refuse elements without a PAW data set or a stated U."""
        try:
            self.dft.check(structure)
        except VaspSettingsError as error:
            raise CannotDoError(f"engine vasp cannot describe this material: {error}") from error

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance with functional, U, settings and versions."""
        from ..vasp.jobs import provenance

        return provenance(self.dft, left_out=tuple(left_out))

    def relax(self, structure: Structure, *, name: str, cell: bool = False, mover: int | None = None) -> Flow:
        """See `Engine.relax`; the electrons find the charges, so `mover` is not needed."""
        from jobflow import Flow

        from ..vasp.jobs import MagneticRelaxMaker, calculation_flow, common_fields
        from ..vasp.starts import relax_starts

        matrices = dict(self.occupation_matrices)
        maker = MagneticRelaxMaker(
            settings=self.dft, cell=cell, occupation_matrices=matrices.get(name), **common_fields(self.commands)
        )
        if cell or tuple(self.electronic_starts) == ("nominal",):
            return calculation_flow(maker, structure, name, self.dft)
        several = relax_starts(
            structure,
            maker=maker,
            settings=self.dft,
            names=list(self.electronic_starts),
            name=name,
            matrices={k: v for k, v in matrices.items() if k.startswith(f"{name}, ")},
        )
        several.name = name
        return Flow([several], output=several.output, name=name)

    def with_hubbard_U(self, hubbard_U_eV: Mapping[str, float]) -> VaspEngine:
        """See `Engine.with_hubbard_U`."""
        return replace(self, dft=replace(self.dft, hubbard_U_eV={**self.dft.hubbard_U_eV, **hubbard_U_eV}))

    def with_dense_mesh(self, factor: int = 3) -> VaspEngine:
        """See `Engine.with_dense_mesh`."""
        dft = self.dft
        mesh = None if dft.kpoint_mesh is None else [factor * n for n in dft.kpoint_mesh]
        return replace(self, dft=replace(dft, kpoint_mesh=mesh, kpoint_spacing_per_A=dft.kpoint_spacing_per_A / factor))

    def static(self, structure: Structure, *, name: str, mover: int | None = None) -> Flow:
        """See `Engine.static`."""
        from ..vasp.jobs import MagneticStaticMaker, calculation_flow, common_fields

        maker = MagneticStaticMaker(
            settings=self.dft, occupation_matrices=self.occupation_matrices.get(name), **common_fields(self.commands)
        )
        return calculation_flow(maker, structure, name, self.dft)

    def write_inputs(self, host: Host, order: str | None, repeats: tuple[int, int, int], folder: Path) -> Path:
        """See `Engine.write_inputs`; needs no POTCAR."""
        from ..vasp.plan import write_plan

        jobs = self._plan(host, order, repeats)
        return write_plan(jobs, self.dft, host, folder, gamma_build=self.commands.gamma is not None)

    def expected_costs(
        self, host: Host, order: str | None, repeats: tuple[int, int, int], speed: float = 1.0, **charged: Any
    ) -> list[ExpectedCost]:
        """See `Engine.expected_costs`."""
        from ..vasp.expected import expected_costs

        jobs = self._plan(host, order, repeats)
        if charged:
            from ..flows.charged_defects import ChargedVacanciesMaker
            from ..vasp.charged_plan import charged_jobs

            maker = ChargedVacanciesMaker(engine=self, repeats=repeats, **charged)
            jobs += charged_jobs(maker, host, order, repeats)
        return expected_costs(jobs, speed, gamma_build=self.commands.gamma is not None)

    def _plan(self, host: Host, order: str | None, repeats: tuple[int, int, int]) -> list[PlannedJob]:
        from ..vasp.plan import plan

        return plan(
            host,
            order,
            repeats,
            self.dft,
            self.path,
            self.anisotropy,
            dipoles=self.dipoles,
            starts=self.electronic_starts,
            matrices=self.occupation_matrices,
            most_vacancies=self.most_vacancies,
        )

    def band(
        self,
        initial: Structure,
        final: Structure,
        intermediates: Sequence[Structure],
        *,
        mover: Mover,
        name: str,
    ) -> Flow:
        """See `Engine.band`; each saddle is a climbing VTST band of its own."""
        from ..vasp.field import polarised_flow
        from ..vasp.jobs import common_fields
        from ..vasp.neb import band_flow

        band = band_flow(
            initial,
            final,
            intermediates,
            mover=mover,
            name=name,
            settings=self.dft,
            band=self.path,
            commands=self.commands,
            fields=common_fields(self.commands),
            matrices=self.occupation_matrices,
        )
        if self.dipoles == "formal":
            return band
        return polarised_flow(band, name, self.dft, common_fields(self.commands), born=self.dipoles == "Born")

    def charged(self, structure: Structure, charge: int, *, relax: bool, name: str) -> Flow:
        """See `Engine.charged`; NELECT follows from the charge, LOCPOT and OUTCAR give the potentials."""
        from ..vasp.charged import charged_flow
        from ..vasp.jobs import common_fields

        fields = common_fields(self.commands)
        return charged_flow(structure, charge, relax=relax, name=name, settings=self.dft, fields=fields)

    def dielectric(self, structure: Structure, *, name: str) -> Flow:
        """See `Engine.dielectric`; perturbation theory for fields and displacements (IBRION = 8, LEPSILON)."""
        from ..vasp.charged import dielectric_flow
        from ..vasp.jobs import common_fields

        return dielectric_flow(structure, name=name, settings=self.dft, fields=common_fields(self.commands))

    def polarisation(self, structure: Structure, *, name: str) -> Flow:
        """See `Engine.polarisation`."""
        from ..vasp.field import polarisation_flow
        from ..vasp.jobs import common_fields

        return polarisation_flow(structure, name, self.dft, common_fields(self.commands), born=False)

    def born_tensors(self, structure: Structure, *, name: str) -> Flow:
        """See `Engine.born_tensors`."""
        from ..vasp.field import polarisation_flow
        from ..vasp.jobs import common_fields

        return polarisation_flow(structure, name, self.dft, common_fields(self.commands), born=True)

    def in_field(
        self, structure: Structure, field_V_per_A: Sequence[float], *, gap_eV: float, relax: bool, name: str
    ) -> Flow:
        """See `Engine.in_field`; VASP's EFIELD_PEAD."""
        from ..vasp.field import field_flow
        from ..vasp.jobs import common_fields

        return field_flow(
            structure,
            field_V_per_A,
            gap_eV=gap_eV,
            relax=relax,
            name=name,
            settings=in_field(self.dft),
            fields=common_fields(self.commands),
            matrices=self.occupation_matrices.get(name),
        )

    def with_field(self, field_V_per_A: Sequence[float], *, gap_eV: float | None) -> VaspEngine:
        """See `Engine.with_field`: bands and their ends are computed with EFIELD_PEAD.

        Raises
        ------
        VaspSettingsError
            Without a gap to check the field against.
        """
        path = replace(self.path, field_V_per_A=[float(c) for c in field_V_per_A], gap_eV=gap_eV)
        return replace(self, path=path)

    def spin_orbit(
        self,
        structure: Structure,
        *,
        directions: Sequence[Sequence[float]],
        state: str,
        name: str,
        near: Sequence[float] | None = None,
    ) -> Flow:
        """See `Engine.spin_orbit`; all electrons of the cell take part, so `near` is not needed."""
        from ..vasp.jobs import common_fields
        from ..vasp.spin_orbit import spin_orbit_flow

        return spin_orbit_flow(
            structure,
            directions,
            state,
            name,
            map_settings(self.dft, self.anisotropy),
            self.anisotropy,
            common_fields(self.commands),
            common_fields(self.commands, noncollinear=True),
        )

    def references(self, formulas: Sequence[str], *, name: str) -> Flow:
        """Element energies fitted to the measured enthalpies of these oxides, never to a metal or a molecule."""
        from ..vasp.jobs import common_fields
        from ..vasp.references import references_flow

        return references_flow(formulas, name=name, settings=self.dft, fields=common_fields(self.commands))


ENGINE = VaspEngine
