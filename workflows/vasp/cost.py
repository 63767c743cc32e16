"""What a VASP job costs, before it is submitted: electrons, bands, plane waves, k points, memory, core hours.

Sizes are VASP's own rules and are exact; times are a model with two constants, calibrated on public OUTCARs of VASP
5.2 to 6.4 on machines of 2013 to 2024 (see `docs/howto_vasp.md`): between those machines alone lies a factor of three.
An OUTCAR of one's own machine takes most of it away: `speed_of`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .settings import VaspSettings, expected_electrons

if TYPE_CHECKING:
    from pymatgen.core import Structure

# hbar^2 / 2 m in eV Angstrom^2.
_KINETIC = 3.80998212
# Core seconds of one electronic step: per orbital, k point and plane wave times its logarithm (FFTs and the action of
# the Hamiltonian), and per pair of orbitals and plane wave (orthonormalisation and subspace: some 32 operations at
# 12 GFlop/s).
FFT_s = 7.0e-7
DENSE_s = 2.7e-9
# The same of exact exchange, per pair of orbitals and pair of k points.
EXCHANGE_s = 2.9e-8
# Of 82 public runs of 30 ions and more that the constants were not set with, 83 % lie within the first factor and 87 %
# within the second, which held all of those that they were set with; see docs/howto_vasp.md.
TYPICAL_FACTOR, LARGEST_FACTOR = 2.5, 4.5
# What forces, stress, start and output add to the electronic steps.
OVERHEAD = 1.25
# Real orbitals of the Gamma-point build: half the plane waves, real products.
GAMMA_BUILD = 0.45
# Projectors of an ion, on average over s, p and d channels; with LREAL they act on a sphere and cost little.
_PROJECTORS = 10.0


@dataclass(frozen=True)
class JobSize:
    """How large a VASP job is.

    Attributes
    ----------
    atoms, electrons, bands, kpoints, spins
        As VASP counts them; `spins` is 1 for spinors.
    kpoints_full
        Points of the whole mesh, which exact exchange sums over.
    plane_waves
        Of one orbital at one k point; both components of a spinor.
    orbitals_GiB
        All orbitals, in complex double precision, over all ranks together.
    """

    atoms: int
    electrons: float
    bands: int
    plane_waves: int
    kpoints: int
    kpoints_full: int
    spins: int
    orbitals_GiB: float


def plane_waves(volume_A3: float, cutoff_eV: float) -> int:
    """Plane waves below a cut-off: V k^3 / 6 pi^2."""
    count: float = volume_A3 * (cutoff_eV / _KINETIC) ** 1.5 / (6 * math.pi**2)
    return round(count)


def bands(electrons: float, ions: int, moments_muB: Sequence[float], spins: int, *, spinors: bool = False) -> int:
    """VASP's default NBANDS, before it is rounded up to a multiple of the groups of ranks.

    Parameters
    ----------
    electrons, ions
        Of the cell.
    moments_muB
        Start moments, shape (n_ions,); only a spin-polarised run looks at them.
    spins
        ISPIN.
    spinors
        Twice as many orbitals with one electron each.
    """
    extra = (int(abs(sum(moments_muB))) + 1) // 2 if spins == 2 else 0
    number = max(round((electrons + 2) / 2) + max(ions // 2, 3), int(0.6 * electrons)) + extra
    return 2 * number if spinors else number


def kpoints(structure: Structure, mesh: Sequence[int], isym: int) -> int:
    """Points of a Gamma-centred mesh that are computed, by what ISYM lets VASP use.

    Parameters
    ----------
    structure
        Cell with start moments.
    mesh
        Divisions, shape (3,).
    isym
        -1 for all points, 0 for time reversal, else the point group of the magnetic cell.
    """
    whole = math.prod(mesh)
    if isym < 0:
        return whole
    if isym == 0:
        return (whole + math.prod(2 if n % 2 == 0 else 1 for n in mesh)) // 2
    import spglib

    moments = structure.site_properties.get("magmom") or [0.0] * len(structure)
    kinds = [(s.specie.symbol, round(float(m))) for s, m in zip(structure, moments, strict=True)]
    numbers = [sorted(set(kinds)).index(kind) + 1 for kind in kinds]
    cell: Any = (structure.lattice.matrix, structure.frac_coords, numbers)
    mapping, _ = spglib.get_ir_reciprocal_mesh(list(mesh), cell, is_shift=[0, 0, 0])
    return len(set(np.asarray(mapping).tolist()))


def job_size(structure: Structure, incar: Mapping[str, Any], settings: VaspSettings) -> JobSize:
    """Size of a job from its cell and its tags.

    Parameters
    ----------
    structure
        Cell with collinear start moments.
    incar
        Tags that will be written.
    settings
        With mesh and data sets.
    """
    spinors = bool(incar.get("LSORBIT") or incar.get("LNONCOLLINEAR"))
    spins = 1 if spinors else int(incar.get("ISPIN") or 1)
    electrons = float(incar.get("NELECT") or expected_electrons(structure, settings))
    moments = [float(m) for m in structure.site_properties.get("magmom") or []]
    bands_ = int(incar.get("NBANDS") or bands(electrons, len(structure), moments, spins, spinors=spinors))
    waves = plane_waves(structure.volume, float(incar["ENCUT"])) * (2 if spinors else 1)
    mesh = settings.mesh(structure)
    points = kpoints(structure, mesh, int(incar.get("ISYM", 2)))
    memory = 16.0 * waves * bands_ * points * spins / 2**30
    return JobSize(len(structure), electrons, bands_, waves, points, math.prod(mesh), spins, memory)


def step_core_s(size: JobSize, incar: Mapping[str, Any], *, gamma_build: bool = False) -> float:
    """Core seconds of one electronic step.

    Parameters
    ----------
    size, incar
        Of the job.
    gamma_build
        Whether the job runs on ``vasp_gam``.
    """
    orbitals = size.kpoints * size.spins * size.bands * size.plane_waves
    projectors = 0.0 if incar.get("LREAL") else _PROJECTORS * size.atoms
    logarithm = math.log2(max(size.plane_waves, 2))
    out = FFT_s * orbitals * logarithm + DENSE_s * orbitals * (size.bands + projectors)
    if incar.get("LHFCALC"):
        occupied = size.electrons / (2 if size.spins == 2 or not incar.get("LSORBIT") else 1)
        out += EXCHANGE_s * orbitals * logarithm * size.kpoints_full * occupied
    return out * (GAMMA_BUILD if gamma_build else 1.0)


@dataclass(frozen=True)
class Steps:
    """How many steps a job is expected to take.

    Attributes
    ----------
    ionic
        Of each image of a band.
    electronic_first, electronic
        Of the first ionic step, and of each later one.
    """

    ionic: float
    electronic_first: float
    electronic: float

    @property
    def total(self) -> float:
        """Electronic steps in all."""
        return self.electronic_first + max(0.0, self.ionic - 1) * self.electronic


def expected_steps(incar: Mapping[str, Any], atoms: int) -> Steps:
    """Steps of a job from its bounds: what the relaxations of the public runs took, within a factor of two.

    Parameters
    ----------
    incar
        Tags of the job.
    atoms
        In the cell; linear response displaces each of them.
    """
    digits = -math.log10(float(incar.get("EDIFF", 1e-4)))
    first, later = 4.0 + 3.5 * digits, 1.6 * digits
    if incar.get("LSORBIT"):
        return Steps(1, 1.6 * first, 0)
    if incar.get("LEPSILON"):
        displaced = 3 * atoms if int(incar.get("IBRION", -1)) in (7, 8) else 0
        return Steps(1, first + 3 * first + displaced * later, 0)
    if "EFIELD_PEAD" in incar or incar.get("LCALCPOL"):
        first, later = 2 * first, 2 * later
    if int(incar.get("NSW", 0)) <= 0:
        return Steps(1, first, 0)
    bound = abs(float(incar.get("EDIFFG", -0.02)))
    moves = 30.0 * math.sqrt(0.02 / bound) * (2.0 if "IMAGES" in incar else 1.0)
    return Steps(min(moves, float(incar["NSW"])), first, later)


def core_hours(
    structure: Structure,
    incar: Mapping[str, Any],
    settings: VaspSettings,
    *,
    speed: float = 1.0,
    gamma_build: bool = False,
) -> float:
    """Expected core hours of a job, all images of a band together.

    Parameters
    ----------
    structure, incar, settings
        As `job_size`.
    speed
        Of the machine against the mean of the calibration, see `speed_of`.
    gamma_build
        See `step_core_s`.
    """
    size = job_size(structure, incar, settings)
    seconds = step_core_s(size, incar, gamma_build=gamma_build) * expected_steps(incar, size.atoms).total * OVERHEAD
    return seconds * int(incar.get("IMAGES") or 1) / 3600 / speed


@dataclass(frozen=True)
class Timing:
    """What an OUTCAR says of its own cost; `step_s` is the mean wall time of an electronic step."""

    size: JobSize
    ranks: int
    step_s: float
    steps: int
    incar: dict[str, Any]

    @property
    def core_s(self) -> float:
        """Core seconds of a step."""
        return self.step_s * self.ranks

    @property
    def factor(self) -> float:
        """What it took over what the model expects."""
        return self.core_s / step_core_s(self.size, self.incar)


def read_timing(text: str) -> Timing:
    """Size, ranks and times of a run from the text of its OUTCAR.

    Raises
    ------
    ValueError
        If it holds no electronic step, or not what the size follows from.
    """
    loops = [float(x) for x in re.findall(r"LOOP:\s+cpu time\s*[\d.]+:\s*real time\s*([\d.]+)", text)]
    if not loops:
        raise ValueError("the OUTCAR holds no electronic step with its time")
    ranks = re.search(r"running(?: on)?\s+(\d+)\s+(?:total cores|nodes|mpi-ranks)", text)
    if ranks is None:
        raise ValueError("the OUTCAR does not say on how many ranks it ran")
    image = re.search(r"each image running on\s+(\d+)\s+cores", text)
    threads = re.search(r"with\s+(\d+)\s+threads/rank", text)
    spinors = _word(text, r"LNONCOLLINEAR =\s*(\w)") == "T"
    spins = 1 if spinors else int(_number(text, r"ISPIN\s*=\s*(\d)"))
    waves = int(_number(text, r"maximum number of plane-waves:\s*(\d+)"))
    counts, points = int(_number(text, r"NBANDS=\s*(\d+)")), int(_number(text, r"NKPTS =\s*(\d+)"))
    mesh = re.search(r"generate k-points for:\s*(\d+)\s+(\d+)\s+(\d+)", text)
    size = JobSize(
        atoms=int(_number(text, r"NIONS =\s*(\d+)")),
        electrons=_number(text, r"NELECT =\s*([\d.]+)"),
        bands=counts,
        plane_waves=waves,
        kpoints=points,
        kpoints_full=math.prod(int(n) for n in mesh.groups()) if mesh else points,
        spins=spins,
        orbitals_GiB=16.0 * waves * counts * points * spins / 2**30,
    )
    incar = {
        "LSORBIT": spinors,
        "LHFCALC": _word(text, r"LHFCALC =\s*(\w)") == "T",
        "LREAL": _word(text, r"LREAL\s*=\s*(\w)") == "T",
        "ISPIN": spins,
        "ENCUT": _number(text, r"ENCUT\s*=\s*([\d.]+)"),
    }
    cores = int((image or ranks).group(1)) * (int(threads.group(1)) if threads else 1)
    return Timing(size, cores, sum(loops) / len(loops), len(loops), incar)


def speed_of(text: str) -> float:
    """How much faster than the mean of the calibration the machine of an OUTCAR is; see `read_timing` for errors."""
    return 1.0 / read_timing(text).factor


def _number(text: str, pattern: str) -> float:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"the OUTCAR has no line {pattern.split(chr(92))[0].strip()!r}")
    return float(match.group(1))


def _word(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return "" if match is None else match.group(1)
