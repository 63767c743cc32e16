"""What a VASP run of this package is made of: one dataclass, checked before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np
from pymatgen.core import Element, Structure

from ...stored.base import Stored
from ...stored.content import digest
from ...stored.renamed import takes_old_names
from ...structures.spins import is_non_collinear
from .functionals import FUNCTIONALS, Functional
from .potcars import POTCAR_FUNCTIONAL, PotcarError, check_potcars, recommended, valence_electrons
from .tags import TagError, check_tags

Start = Literal["density", "atoms"]
# Fields of atomate2's Makers that change no number: names, commands, handlers, what is parsed. Ours write the inputs by
# their own settings, so that the generator is none either.
MAKER_RUN_ONLY = frozenset(
    {
        "name",
        "run_vasp_kwargs",
        "write_input_set_kwargs",
        "stop_children_kwargs",
        "task_document_kwargs",
        "write_additional_data",
        "copy_vasp_kwargs",
        "input_set_generator",
    }
)


class VaspSettingsError(ValueError):
    """A setting that would give a wrong or an undefined calculation."""


@dataclass(frozen=True)
class VaspSettings(Stored):
    """Numerical settings that every VASP job of a study shares.

    Attributes
    ----------
    functional
        ``"PBE"``, ``"PBEsol"``, ``"r2SCAN"`` or ``"HSE06"``, see `functionals`.
    hubbard_U_eV
        U - J of Dudarev's scheme by element (10.1103/PhysRevB.57.1505); 0 states "none". Empty: the hosts' values,
        see `hosts_hubbard_U`.
    hubbard_fitted_for
        Functional that the values were fitted with.
    encut_eV
        Plane-wave cut-off.
    kpoint_spacing_per_A
        Largest spacing of the Gamma-centred mesh, 2 pi / Angstrom included.
    long_edge_A, long_edge_kpoints
        Along an edge at least this long a mesh has at most so many points; None leaves the spacing alone. Cells that
        are compared have the same edges.
    kpoint_mesh
        A mesh that overrides the spacing, for every job.
    sigma_eV
        Gaussian smearing, the same for every job.
    ediff_eV, ediff_relax_eV, ediff_spin_orbit_eV
        Electronic convergence of statics, relaxations and anisotropy.
    force_eV_per_A
        Bound of relaxations.
    max_ionic_steps, max_electronic_steps
        NSW and NELM.
    real_space_projection
        LREAL = Auto for every job.
    real_space_edge_A
        LREAL = Auto for cells without a shorter edge: the supercells, which have the same edges and whose energies are
        compared with each other alone. None leaves it to `real_space_projection`.
    ncore, kpar
        Parallel set-up of every job; None lets each job choose by its ranks, see `parallel`.
    incar, potcar
        The user's own tags by kind of job, see `tags`, and PAW data sets by element, see `potcars`.
    efield_pead_sign
        Sign with which a field is written into EFIELD_PEAD. VASP means the force on an electron, hence -1; every
        run in a field measures it, see `guards.field_pushes`.
    """

    run_only: ClassVar[frozenset[str]] = frozenset({"ncore", "kpar"})
    as_before: ClassVar[Mapping[str, Any]] = {"real_space_edge_A": None}

    functional: Functional = "PBE"
    hubbard_U_eV: Mapping[str, float] = field(default_factory=dict)
    hubbard_fitted_for: str = "PBE"
    encut_eV: float = 520.0
    kpoint_spacing_per_A: float = 0.22
    long_edge_A: float = 15.0
    long_edge_kpoints: int | None = 1
    kpoint_mesh: Sequence[int] | None = None
    sigma_eV: float = 0.05
    ediff_eV: float = 1e-6
    ediff_relax_eV: float = 1e-6
    ediff_spin_orbit_eV: float = 1e-8
    force_eV_per_A: float = 0.02
    max_ionic_steps: int = 200
    max_electronic_steps: int = 200
    real_space_projection: bool = False
    real_space_edge_A: float | None = None
    ncore: int | None = None
    kpar: int | None = None
    efield_pead_sign: int = -1
    incar: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    potcar: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.functional not in FUNCTIONALS:
            raise VaspSettingsError(f"functional {self.functional!r} is not known; use one of {', '.join(FUNCTIONALS)}")
        try:
            object.__setattr__(self, "incar", check_tags(self.incar))
            check_potcars(self.potcar)
        except (TagError, PotcarError) as error:
            raise VaspSettingsError(str(error)) from error
        table = dict(self.hubbard_U_eV) or hosts_hubbard_U()
        object.__setattr__(self, "hubbard_U_eV", table)
        if wrong := {k: v for k, v in table.items() if not 0 <= v <= 15}:
            raise VaspSettingsError(f"U of {wrong} eV is outside 0 to 15")
        if any(table.values()) and self.hubbard_fitted_for != self.functional:
            raise VaspSettingsError(
                f"U was fitted with {self.hubbard_fitted_for} and must not be used with {self.functional}: "
                f"give hubbard_U_eV fitted for {self.functional} and hubbard_fitted_for={self.functional!r}, "
                f"state that there is none with a U of 0 for each element, or use "
                f"functional={self.hubbard_fitted_for!r}"
            )
        positive = ("encut_eV", "kpoint_spacing_per_A", "sigma_eV", "ediff_eV", "ediff_relax_eV", "force_eV_per_A")
        for name in (*positive, "long_edge_A", "ediff_spin_orbit_eV", "max_ionic_steps", "max_electronic_steps"):
            if not getattr(self, name) > 0:
                raise VaspSettingsError(f"{name} = {getattr(self, name)!r} must be positive")
        if self.ediff_spin_orbit_eV > 1e-7:
            raise VaspSettingsError(
                f"ediff_spin_orbit_eV = {self.ediff_spin_orbit_eV:g}: anisotropies are of the order of 1e-4 eV "
                "and need 1e-7 or less"
            )
        for name in ("ncore", "kpar", "long_edge_kpoints"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise VaspSettingsError(f"{name} = {value} must be at least 1")
        if self.real_space_edge_A is not None and not self.real_space_edge_A > 0:
            raise VaspSettingsError(f"real_space_edge_A = {self.real_space_edge_A!r} must be positive, or null")
        if self.efield_pead_sign not in (-1, 1):
            raise VaspSettingsError(f"efield_pead_sign = {self.efield_pead_sign} must be -1 or 1")
        if self.kpoint_mesh is not None and (len(self.kpoint_mesh) != 3 or min(self.kpoint_mesh) < 1):
            raise VaspSettingsError(f"kpoint_mesh {list(self.kpoint_mesh)} must be three numbers of at least 1")

    def identity(self) -> dict[str, Any]:
        """See `Stored.identity`: the PAW data sets of elements that `potcar` leaves to the release."""
        return {"release": POTCAR_FUNCTIONAL, "data_sets": digest(recommended())[:16]}

    def mesh(self, structure: Structure) -> list[int]:
        """Divisions of the Gamma-centred mesh for a cell.

        Parameters
        ----------
        structure
            Any cell.

        Returns
        -------
        list of int
            Three divisions; the spacing is met to 2 %, so that a relaxed lattice keeps the mesh of the unrelaxed one.
        """
        if self.kpoint_mesh is not None:
            return [int(n) for n in self.kpoint_mesh]
        lengths = np.array(structure.lattice.reciprocal_lattice.abc)
        mesh = [max(1, int(np.ceil(x / self.kpoint_spacing_per_A - 0.02))) for x in lengths]
        if self.long_edge_kpoints is None:
            return mesh
        # 2 % for a lattice that relaxes, as above.
        long = [edge >= 0.98 * self.long_edge_A for edge in structure.lattice.abc]
        return [min(n, self.long_edge_kpoints) if cut else n for n, cut in zip(mesh, long, strict=True)]

    def projects_in_real_space(self, structure: Structure) -> bool:
        """Whether the jobs of a cell have LREAL = Auto; 2 % are left for a lattice that relaxes."""
        edge = self.real_space_edge_A
        return self.real_space_projection or (edge is not None and min(structure.lattice.abc) >= 0.98 * edge)

    def potcars(self) -> dict[str, str]:
        """PAW data set of every element of the release, the user's before the recommended ones."""
        return {**recommended(), **self.potcar}

    def check(self, structure: Structure) -> None:
        """Refuse a structure whose description would be left to defaults.

        Raises
        ------
        VaspSettingsError
            If an element has no PAW data set here, an open 3d shell has no stated U, or a site has no moment.
        """
        elements = sorted({s.specie.symbol for s in structure})
        if unknown := [e for e in elements if e not in self.potcars()]:
            raise VaspSettingsError(f"release 54 for PBE has no PAW data set of {', '.join(unknown)}")
        open_shells = [e for e in elements if Element(e).is_transition_metal and Element(e).group < 12]
        if missing := [e for e in open_shells if e not in self.hubbard_U_eV]:
            raise VaspSettingsError(
                f"no U is stated for {', '.join(missing)}; give hubbard_U_eV for it (0 is allowed, silence is not)"
            )
        if "magmom" not in structure.site_properties:
            raise VaspSettingsError("the structure has no site property 'magmom': the spins would be VASP's default")
        if is_non_collinear(structure):
            raise VaspSettingsError(
                "its moments are vectors, and relaxations are collinear here: give numbers along z; "
                "`magnetoionics structures` writes the cells with all three components for runs of your own"
            )


@dataclass(frozen=True)
class VaspCommands(Stored):
    """How VASP is started.

    Attributes
    ----------
    standard, noncollinear
        Commands of ``vasp_std`` and ``vasp_ncl``; None takes atomate2's ``VASP_CMD`` and ``VASP_NCL_CMD``.
    gamma
        Command of ``vasp_gam``, which takes less than half the time and memory of ``vasp_std`` for a job with the Gamma
        point alone; None uses `standard` for it. Bands take it where `band` is None, so that it needs VTST, too.
    band
        Command of a build with the VTST patch, for several nodes if need be; `standard` if None.
    max_errors
        Corrections that custodian may try.
    poll_s
        How often custodian looks at a running job, in seconds.
    potcar_spec
        Write ``POTCAR.spec`` instead of POTCAR: for tests without VASP only.
    """

    run_only: ClassVar[frozenset[str]] = frozenset(
        {"standard", "noncollinear", "gamma", "band", "max_errors", "poll_s", "potcar_spec"}
    )

    as_before: ClassVar[Mapping[str, Any]] = {"gamma": None}
    standard: str | None = None
    noncollinear: str | None = None
    gamma: str | None = None
    band: str | None = None
    max_errors: int = 5
    poll_s: float = 10.0
    potcar_spec: bool = False


@dataclass(frozen=True)
class SpinOrbitSettings(Stored):
    """How E(n) is computed.

    Attributes
    ----------
    self_consistent
        Self-consistent for every direction; else the force theorem on the collinear density, which can mislead
        for an ion with an unquenched orbital moment such as Co2+.
    starts
        ``"density"`` starts from the collinear density, ``"atoms"`` from turned atomic moments; each direction
        keeps its lowest.
    compare_frames
        Run the first direction also from turned moments with SAXIS = z, or from the density if all start so: with U the
        two are known to differ, and what they differ by is an error of the map.
    constrain_eV
        Weight (LAMBDA) of the penalty that holds the moments along n; None leaves them free.
    rwigs_A
        Radius of the spheres of constrained moments by element; needed with `constrain_eV`.
    occupation_matrices
        Text of an ``OCCMATRIX`` file for a VASP built with occupation-matrix control, else None.
    max_tilt_degrees
        How far the total spin may turn away from n.
    odd_limit_meV
        Largest |E(n) - E(-n)|/2 that counts as noise; None takes the larger of 1e-3 meV and 5 % of the map's range.
    kpoint_spacing_per_A
        Spacing of the mesh of a map, whose energies are compared with each other alone; None takes that of the study.
    lebedev_order
        Order of the directions of a map: 7, 9 and 15 are 26, 38 and 86 directions; None takes that of the study.
    """

    as_before: ClassVar[Mapping[str, Any]] = {"compare_frames": False}

    self_consistent: bool = True
    starts: Sequence[Start] = ("density",)
    compare_frames: bool = True
    constrain_eV: float | None = None
    rwigs_A: Mapping[str, float] = field(default_factory=dict)
    occupation_matrices: str | None = None
    max_tilt_degrees: float = 2.0
    odd_limit_meV: float | None = None
    kpoint_spacing_per_A: float | None = 0.30
    lebedev_order: int | None = 9

    def __post_init__(self) -> None:
        if not self.starts or set(self.starts) - {"density", "atoms"}:
            raise ValueError(f"starts {list(self.starts)} must be 'density', 'atoms' or both")
        if not self.self_consistent and tuple(self.starts) != ("density",):
            raise ValueError("the force theorem needs the collinear density: starts must be ('density',)")
        if self.constrain_eV is not None and (self.constrain_eV <= 0 or not self.rwigs_A):
            raise ValueError("constrained moments need constrain_eV > 0 and rwigs_A for every element")
        if self.kpoint_spacing_per_A is not None and not self.kpoint_spacing_per_A > 0:
            raise ValueError(f"kpoint_spacing_per_A = {self.kpoint_spacing_per_A:g} of a map must be positive")

    @property
    def other_start(self) -> Start | None:
        """Start of the one direction that is run a second time in the other frame; None where none is."""
        if not (self.compare_frames and self.self_consistent) or len(set(self.starts)) > 1:
            return None
        return "atoms" if tuple(self.starts) == ("density",) else "density"

    @property
    def method(self) -> str:
        """In words."""
        if not self.self_consistent:
            return "force theorem"
        return "self-consistent" + (", constrained moments" if self.constrain_eV is not None else "")


@takes_old_names
@dataclass(frozen=True)
class VaspBandSettings(Stored):
    """How a band is converged by VTST.

    Attributes
    ----------
    images_per_segment
        Moving images of each segment between two minima; IMAGES.
    climb
        Whether the highest image climbs; LCLIMB, always written.
    residual_eV_per_A
        Bound on the NEB residual, which is the force on the band, not the force on the ions.
    spring_eV_per_A2
        Spring constant; SPRING is its negative.
    max_steps
        Ionic steps of a segment.
    same_state_A
        Two states whose mover is closer than this are the same minimum.
    ranks
        MPI ranks of the band's command; refused if the images cannot share them equally.
    field_V_per_A
        Uniform field in which ends and band are computed (EFIELD_PEAD), V/Angstrom, shape (3,); None for none.
    gap_eV
        Gap for the check against breakdown; needed with a field.
    """

    run_only: ClassVar[frozenset[str]] = frozenset({"ranks"})

    images_per_segment: int = 3
    climb: bool = True
    residual_eV_per_A: float = 0.03
    spring_eV_per_A2: float = 5.0
    max_steps: int = 300
    same_state_A: float = 0.35
    ranks: int | None = None
    field_V_per_A: Sequence[float] | None = None
    gap_eV: float | None = None

    def __post_init__(self) -> None:
        if self.field_V_per_A is not None and (len(self.field_V_per_A) != 3 or not self.gap_eV):
            raise VaspSettingsError("a band in a field needs field_V_per_A with three components and gap_eV")
        if (
            self.images_per_segment < 1
            or self.spring_eV_per_A2 <= 0
            or self.residual_eV_per_A <= 0
            or self.max_steps < 1
        ):
            raise VaspSettingsError(f"{self} needs at least one image, one step, a spring and a positive residual")
        if self.ranks is not None and self.ranks % self.images_per_segment:
            raise VaspSettingsError(
                f"{self.ranks} ranks cannot be shared equally by {self.images_per_segment} images; "
                f"use a multiple of {self.images_per_segment}"
            )


def map_settings(settings: VaspSettings, how: SpinOrbitSettings) -> VaspSettings:
    """Settings of every run of a map E(n): those of the study on the mesh of the map."""
    if how.kpoint_spacing_per_A is None:
        return settings
    return replace(settings, kpoint_spacing_per_A=how.kpoint_spacing_per_A)


def in_field(settings: VaspSettings) -> VaspSettings:
    """The same with at least two k points along every long edge: one cannot resolve a field."""
    if settings.long_edge_kpoints is None or settings.long_edge_kpoints > 1:
        return settings
    return replace(settings, long_edge_kpoints=2)


def hosts_hubbard_U() -> dict[str, float]:
    """U (eV) of every element that a host names.

    Raises
    ------
    VaspSettingsError
        If two hosts disagree: energies of different U cannot be compared.
    """
    from ...structures.host import get_host, host_keys

    table: dict[str, float] = {}
    for key in host_keys():
        for element, value in get_host(key).hubbard_U_eV.items():
            if abs(table.setdefault(element, value) - value) > 1e-9:
                raise VaspSettingsError(f"hosts disagree on U of {element}: {table[element]:g} and {value:g} eV")
    return dict(sorted(table.items()))


def expected_electrons(structure: Structure, settings: VaspSettings | None = None) -> float:
    """Valence electrons of a cell with these PAW data sets.

    Parameters
    ----------
    structure
        Cell; a charge that was given to it (``Structure(..., charge=q)``, in e) is taken off.
    settings
        With the user's data sets; the recommended ones if None.
    """
    chosen = recommended() if settings is None else settings.potcars()
    counts = Counter(s.specie.symbol for s in structure)
    valence = sum(n * valence_electrons(chosen[element]) for element, n in counts.items())
    return float(valence - (structure._charge or 0.0))
