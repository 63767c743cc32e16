"""One segment of a band as a VTST run: its tags, its images, and where their electrons start from."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from atomate2 import SETTINGS
from atomate2.common.files import gzip_output_folder
from atomate2.vasp.files import write_vasp_input_set
from atomate2.vasp.jobs.base import _FILES_TO_ZIP
from atomate2.vasp.jobs.neb import NebFromImagesMaker
from atomate2.vasp.run import DEFAULT_HANDLERS, JobType, run_vasp
from atomate2.vasp.sets.core import NebSetGenerator
from custodian.vasp.handlers import FrozenJobErrorHandler, StdErrHandler, VaspErrorHandler
from jobflow import job

from ...stored.base import Stored
from ..ase.atoms import from_atoms, to_atoms
from .continuation import go_on
from .finished.document import SegmentRun
from .inputs import Incar, common_incar, field_tags, generator
from .jobs import MagneticStaticMaker, copy_density, marks_of_run
from .order import block_order, in_order
from .parallel import ready
from .settings import MAKER_RUN_ONLY, VaspBandSettings, VaspCommands, VaspSettings, VaspSettingsError
from .walltime import refuse_stopped, with_stop

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator
    from jobflow import Job
    from pymatgen.core import Structure

CLOSE_PAIR_A = 1.2
SAME_MOMENT_muB = 0.3


def band_incar(structure: Structure, settings: VaspSettings, band: VaspBandSettings) -> Incar:
    """Tags of a VTST band; what VTST or atomate2 would choose is written out."""
    return common_incar(structure, settings) | {
        "EDIFF": settings.ediff_relax_eV,
        "EDIFFG": -band.residual_eV_per_A,
        "NSW": band.max_steps,
        "ISIF": 2,
        "ISYM": 0,
        "IMAGES": band.images_per_segment,
        "ICHAIN": 0,
        "LCLIMB": band.climb,
        "SPRING": -band.spring_eV_per_A2,
        "LTANGENTOLD": False,
        # VTST's own optimisers work on the whole band; VASP's must stand still.
        "IBRION": 3,
        "POTIM": 0,
        "IOPT": 1,
    }


@dataclass
class SegmentMaker(Stored, NebFromImagesMaker):
    """atomate2's band from images with our settings; the images it is given stay as they are."""

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    settings: VaspSettings = field(default_factory=VaspSettings)
    band: VaspBandSettings = field(default_factory=VaspBandSettings)
    from_densities: bool = False

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for images in VASP's order."""
        incar = band_incar(structure, self.settings, self.band)
        if self.from_densities:
            incar["ICHARG"] = 1
        if self.band.field_V_per_A is not None:
            incar |= field_tags(self.band.field_V_per_A, self.settings)
        return generator(NebSetGenerator, incar, self.settings, structure)

    @job
    def make(
        self, images: list[Structure], prev_dir: str | Path | None = None, densities: Sequence[str] = ()
    ) -> SegmentRun:
        """Write, run and leave the images in their folders; outputs where.

        What came out is read from the folders, see `finished.band`: up to 5.4.4 the images have no vasprun.xml and
        the one above them is malformed, so that atomate2's own document cannot be made of them. `densities` are the
        folders of one run with a CHGCAR per moving image, if `from_densities`.
        """
        if len(images) - 2 != self.band.images_per_segment:
            raise VaspSettingsError(
                f"{len(images)} images with both ends do not fit IMAGES = {self.band.images_per_segment}"
            )
        order = block_order(images[0])
        ordered = [in_order(image, order) for image in images]
        self.settings.check(ordered[0])
        if len(densities) != (self.band.images_per_segment if self.from_densities else 0):
            raise VaspSettingsError(f"{len(densities)} densities do not fit {self.band.images_per_segment} images")
        planned = self.planned(ordered[0])
        starts = go_on(ordered, planned)
        maker = ready(self, planned, ordered[0])
        if self.from_densities:
            maker.run_vasp_kwargs = place_densities(maker.run_vasp_kwargs, densities)
        inputs: Any = maker.input_set_generator
        inputs.num_images = self.band.images_per_segment
        write_vasp_input_set(starts[0], inputs, **self.write_input_set_kwargs)
        write_images(starts)
        run_vasp(**with_stop(maker.run_vasp_kwargs))
        place = Path.cwd()
        refuse_stopped(place)
        for folder in (place, *(place / f"{k:02d}" for k in range(len(starts)))):
            gzip_output_folder(directory=folder, setting=SETTINGS.VASP_ZIP_FILES, files_list=_FILES_TO_ZIP)
        return SegmentRun(dir_name=str(place))


def write_images(images: Sequence[Structure]) -> None:
    """POSCAR of every image, and KPOINTS beside it: VASP 6 with HDF5 looks for one in each folder."""
    for number, image in enumerate(images):
        folder = Path(f"{number:02d}")
        folder.mkdir()
        image.to(str(folder / "POSCAR"), fmt="poscar")
        if Path("KPOINTS").is_file():
            shutil.copy("KPOINTS", folder / "KPOINTS")


def band_handlers() -> list[Any]:
    """Custodian's handlers that do a band no harm.

    The others look for one OUTCAR and one vasprun.xml in the band's own folder, which holds none of its images, and
    answer with IBRION = 1, another POTIM or another SIGMA: VTST's optimiser is then off, or the energies differ from
    those of the ends.
    """
    harmless = (VaspErrorHandler, FrozenJobErrorHandler, StdErrHandler)
    return [handler for handler in DEFAULT_HANDLERS if isinstance(handler, harmless)]


def place_densities(run_vasp_kwargs: dict[str, Any], folders: Sequence[str]) -> dict[str, Any]:
    """Bring every density here and let custodian move it into its image's folder, which is not there yet."""
    actions = []
    for number, folder in enumerate(folders, start=1):
        copy_density(folder)
        name = f"CHGCAR_{number:02d}"
        Path("CHGCAR").rename(name)
        actions.append({"file": name, "action": {"_file_move": {"dest": f"{number:02d}/CHGCAR"}}})
    job_kwargs = {**run_vasp_kwargs["vasp_job_kwargs"], "settings_override": actions}
    return {**run_vasp_kwargs, "vasp_job_kwargs": job_kwargs}


def moments_differ(left: Structure, right: Structure) -> bool:
    """Whether one MAGMOM cannot serve all images between two minima."""
    return bool(np.max(np.abs(np.array(spins_of(left)) - np.array(spins_of(right)))) > SAME_MOMENT_muB)


def segment_fields(commands: VaspCommands, fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a `SegmentMaker` from those that all Makers share."""
    run = dict(fields["run_vasp_kwargs"])
    if commands.band is not None:
        # A build of its own, with VTST and ranks for its images.
        run.pop("vasp_gamma_cmd", None)
    run |= {"job_type": JobType.NEB, "vasp_cmd": commands.band or run["vasp_cmd"], "handlers": band_handlers()}
    # custodian copies POTCAR before a band, which is not there for a POTCAR.spec.
    run["vasp_job_kwargs"] = {
        "auto_gamma": False,
        "auto_npar": False,
        "backup": not commands.potcar_spec,
        "output_file": "vasp.out",
        "stderr_file": "std_err.txt",
    }
    return {**fields, "run_vasp_kwargs": run}


def image_density(image: Structure, number: int, segment: int, settings: VaspSettings, fields: dict[str, Any]) -> Job:
    """Single point that leaves a density with the moments of one image."""
    maker = MagneticStaticMaker(settings=settings, extra={"LCHARG": True}, **fields)
    run = maker.make(image)
    run.name = f"segment {segment}: density of image {number}"
    run.update_metadata(marks_of_run("static"))
    return run


def start_images(left: Structure, right: Structure, count: int) -> list[Structure]:
    """Images between two minima with both ends, moments between theirs; IDPP if a straight line meets an ion."""
    from ase.mep.neb import idpp_interpolate, interpolate

    atoms = [to_atoms(left), *(to_atoms(left) for _ in range(count)), to_atoms(right)]
    interpolate(atoms, mic=False)
    if min(_closest(a) for a in atoms[1:-1]) < CLOSE_PAIR_A:
        idpp_interpolate(atoms, traj=None, log=None, mic=False)
    images = [left.copy(), *(from_atoms(a, left) for a in atoms[1:-1]), right.copy()]
    first, last = np.array(spins_of(left)), np.array(spins_of(right))
    for number, image in enumerate(images):
        share = number / (len(images) - 1)
        image.add_site_property("magmom", [float(m) for m in (1 - share) * first + share * last])
    return images


def spins_of(structure: Structure) -> list[float]:
    """Start moments, muB."""
    return [float(m) for m in structure.site_properties["magmom"]]


def _closest(atoms: Any) -> float:
    distances = atoms.get_all_distances(mic=True)
    np.fill_diagonal(distances, np.inf)
    return float(distances.min())
