"""Reading and refusing the inputs of a VASP run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar

VALENCE_ELECTRONS = {
    "Co": 9, "Fe_pv": 14, "Fe": 8, "O": 6, "Li_sv": 3, "Ni_pv": 16, "Mg_pv": 8, "Zn": 12, "Mn_pv": 13,
}  # fmt: skip
MOST_CHARGE = 6
RANKS = int(os.environ.get("VASP_EMULATOR_RANKS", "48"))
# Whether the build has the VTST patch.
VTST = os.environ.get("VASP_EMULATOR_VTST", "1") == "1"


class InputError(ValueError):
    """The inputs contradict each other; VASP would stop or compute something else."""


@dataclass
class Inputs:
    incar: Incar
    kpoints: Kpoints
    structure: Structure
    potcar: list[str]
    moments: np.ndarray
    images: list[Structure] = field(default_factory=list)

    @property
    def symbols(self) -> list[str]:
        """One per block of species."""
        return blocks(self.structure)

    @property
    def neutral_electrons(self) -> float:
        """Valence electrons of the atoms."""
        of_symbol = {symbol: VALENCE_ELECTRONS[data] for symbol, data in zip(self.symbols, self.potcar, strict=False)}
        return float(sum(of_symbol[s.specie.symbol] for s in self.structure))

    @property
    def electrons(self) -> float:
        return float(self.incar.get("NELECT", self.neutral_electrons))

    @property
    def charge(self) -> float:
        """Of the cell, e; a homogeneous background makes up for it."""
        return self.neutral_electrons - self.electrons

    @property
    def noncollinear(self) -> bool:
        return bool(self.incar.get("LSORBIT") or self.incar.get("LNONCOLLINEAR"))


def blocks(structure: Structure) -> list[str]:
    out: list[str] = []
    for site in structure:
        if not out or out[-1] != site.specie.symbol:
            out.append(site.specie.symbol)
    return out


def read_inputs(folder: Path) -> Inputs:
    """Everything, checked."""
    for name in ("INCAR", "KPOINTS"):
        require((folder / name).is_file(), f"there is no {name}")
    incar = Incar.from_file(folder / "INCAR")
    kpoints = Kpoints.from_file(folder / "KPOINTS")
    images: list[Structure] = []
    if "IMAGES" in incar:
        images = read_images(folder, int(incar["IMAGES"]))
        structure = images[0]
    else:
        require((folder / "POSCAR").is_file(), "there is no POSCAR")
        structure = Poscar.from_file(folder / "POSCAR", check_for_potcar=False).structure
    potcar = read_potcar(folder)
    check_species(structure, potcar)
    check_hubbard(incar, blocks(structure))
    check_parallel(incar)
    check_kpoints(kpoints, incar)
    check_tags(incar)
    moments = read_moments(incar, len(structure))
    inputs = Inputs(incar, kpoints, structure, potcar, moments, images)
    check_charge(inputs)
    check_density(inputs, folder)
    require(not incar.get("OCCEXT") or (folder / "OCCMATRIX").is_file(), "OCCEXT without an OCCMATRIX")
    if incar.get("I_CONSTRAINED_M"):
        count = len(blocks(structure))
        require(len(incar["RWIGS"]) == count, f"RWIGS has {len(incar['RWIGS'])} entries for {count} species")
        held = np.array(incar["M_CONSTR"], dtype=float).size
        require(held == 3 * len(structure), f"M_CONSTR has {held} numbers for {len(structure)} atoms")
    return inputs


def require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def read_potcar(folder: Path) -> list[str]:
    spec = folder / "POTCAR.spec"
    require(spec.is_file(), "there is neither POTCAR nor POTCAR.spec")
    symbols = spec.read_text(encoding="utf-8").split()
    unknown = [s for s in symbols if s not in VALENCE_ELECTRONS]
    require(not unknown, f"no such PAW data set: {unknown}")
    return symbols


def check_species(structure: Structure, potcar: list[str]) -> None:
    order = blocks(structure)
    require(len(set(order)) == len(order), f"species come in more than one block: {order}")
    require([p.split("_")[0] for p in potcar] == order, f"POTCAR {potcar} does not fit the POSCAR's species {order}")


def read_images(folder: Path, count: int) -> list[Structure]:
    folders = sorted(p for p in folder.iterdir() if p.is_dir() and p.name.isdigit() and len(p.name) == 2)
    names = [p.name for p in folders]
    require(names == [f"{i:02d}" for i in range(count + 2)], f"IMAGES = {count} does not fit the folders {names}")
    out = [Poscar.from_file(p / "POSCAR", check_for_potcar=False).structure for p in folders]
    for number, image in enumerate(out):
        require(blocks(image) == blocks(out[0]) and len(image) == len(out[0]), f"image {number:02d} has other atoms")
        require(
            np.allclose(image.lattice.matrix, out[0].lattice.matrix, atol=1e-6), f"image {number:02d} has another cell"
        )
    return out


def check_hubbard(incar: Incar, symbols: list[str]) -> None:
    if not incar.get("LDAU"):
        return
    for key in ("LDAUL", "LDAUU", "LDAUJ"):
        values = incar.get(key)
        require(values is not None, f"LDAU is on without {key}")
        require(len(values) == len(symbols), f"{key} has {len(values)} entries for {len(symbols)} species")
    for symbol, ang, u in zip(symbols, incar["LDAUL"], incar["LDAUU"], strict=True):
        require(u == 0 or ang >= 0, f"{symbol} has U = {u} with LDAUL = {ang}")
    require(int(incar.get("LMAXMIX", 2)) >= 4, "LDAU with d electrons needs LMAXMIX of at least 4")


def check_parallel(incar: Incar) -> None:
    ncore, kpar = int(incar.get("NCORE", 1)), int(incar.get("KPAR", 1))
    require("NPAR" not in incar or "NCORE" not in incar, "NCORE and NPAR are both set")
    images = int(incar.get("IMAGES", 1))
    require(RANKS % images == 0, f"{RANKS} ranks cannot be shared by {images} images")
    ranks = RANKS // images
    require(ranks % (ncore * kpar) == 0, f"NCORE {ncore} times KPAR {kpar} does not divide {ranks} ranks per image")
    if incar.get("LEPSILON") or incar.get("LCALCEPS") or incar.get("EFIELD_PEAD"):
        require(ncore == 1, "linear response and finite fields need NCORE = 1")


def check_kpoints(kpoints: Kpoints, incar: Incar) -> None:
    require("KSPACING" not in incar, "KPOINTS and KSPACING are both given")
    require(len(kpoints.kpts) == 1, "only an automatic mesh is known here")
    mesh = [int(n) for n in kpoints.kpts[0]]
    require(min(mesh) >= 1, f"mesh {mesh} is no mesh")
    if int(incar.get("ISMEAR", 1)) == -5:
        require(np.prod(mesh) >= 4, f"the tetrahedron method needs more k points than {mesh}")
    if incar.get("EFIELD_PEAD"):
        require(min(mesh) >= 2, f"a finite field needs at least two k points along it, not {mesh}")


def check_tags(incar: Incar) -> None:
    noncollinear = bool(incar.get("LSORBIT") or incar.get("LNONCOLLINEAR"))
    require(int(incar.get("ISPIN", 1)) == 2 or noncollinear, "a magnetic oxide without ISPIN = 2")
    # VASP 6.5 stops here; older ones set ISPIN to 1.
    stops = noncollinear and int(incar.get("ISPIN", 1)) == 2 and "MAGMOM" in incar
    require(not stops, "ISPIN = 2 with LNONCOLLINEAR and MAGMOM: VASP 6.5 does not go on")
    if incar.get("LSORBIT"):
        require(int(incar.get("ISYM", 2)) == -1, "spin-orbit energies of different directions need ISYM = -1")
        if incar.get("I_CONSTRAINED_M"):
            require("LAMBDA" in incar and "RWIGS" in incar, "constrained moments need LAMBDA and RWIGS")
            require("M_CONSTR" in incar, "constrained moments without M_CONSTR")
        require("SAXIS" in incar, "LSORBIT without SAXIS: the frame of the moments would be VASP's default")
    if "IMAGES" in incar:
        require("LCLIMB" in incar, "a band without LCLIMB: whether it climbs would be VTST's default")
        require("SPRING" in incar, "a band without SPRING")
        require(
            int(incar.get("IBRION", -1)) == 3 and float(incar.get("POTIM", 0.5)) == 0.0,
            "VTST optimisers need IBRION = 3 and POTIM = 0",
        )
        require(int(incar.get("IOPT", 0)) > 0, "a band without IOPT")
    if incar.get("EFIELD_PEAD"):
        require(int(incar.get("ISMEAR", 1)) <= 0, "a finite field needs an insulator's occupations (ISMEAR = 0 or -5)")
        require(int(incar.get("ISYM", 2)) <= 0, "a finite field breaks symmetry: ISYM = 0 or -1")


def check_charge(inputs: Inputs) -> None:
    """NELECT must be that of a charge state of these atoms: another count comes from other atoms or PAW data sets."""
    charge, incar = inputs.charge, inputs.incar
    require(abs(charge - round(charge)) < 1e-6, f"NELECT {inputs.electrons:g} leaves a charge of {charge:g} e")
    require(
        abs(charge) <= MOST_CHARGE,
        f"NELECT {inputs.electrons:g} does not belong to atoms with {inputs.neutral_electrons:g} valence electrons",
    )
    if charge:
        for tag in ("LCALCPOL", "LEPSILON", "EFIELD_PEAD"):
            require(not incar.get(tag), f"{tag} with NELECT {inputs.electrons:g}: a charged cell has no dipole")
    if int(incar.get("IBRION", -1)) in (7, 8):
        require(int(incar.get("NSW", 0)) == 1, "perturbation theory of displacements needs NSW = 1")
        require(bool(incar.get("LEPSILON")), "displacements without a field give no dielectric tensor: LEPSILON")


def read_moments(incar: Incar, atoms: int) -> np.ndarray:
    values = incar.get("MAGMOM")
    require(values is not None, "there is no MAGMOM: every spin would start at 1")
    array = np.array([getattr(v, "moment", v) for v in values], dtype=float)
    if incar.get("LSORBIT") or incar.get("LNONCOLLINEAR"):
        array = array.reshape(-1, 3) if array.ndim == 1 and array.size == 3 * atoms else array
        require(
            array.shape == (atoms, 3),
            f"MAGMOM has shape {array.shape}; a non-collinear run of {atoms} atoms needs three each",
        )
    else:
        require(array.shape == (atoms,), f"MAGMOM has {array.size} entries for {atoms} atoms")
    return array


def check_density(inputs: Inputs, folder: Path) -> None:
    """A density that is read must be there and belong to these atoms and this mesh."""
    if int(inputs.incar.get("ICHARG", 2)) not in (1, 11):
        return
    places = [folder / f"{i:02d}" for i in range(1, len(inputs.images) - 1)] if inputs.images else [folder]
    for place in places:
        check_density_file(inputs, place / "CHGCAR")


def check_density_file(inputs: Inputs, file: Path) -> None:
    require(file.is_file(), f"ICHARG = {inputs.incar['ICHARG']} without {file}")
    words = file.read_text(encoding="utf-8").split("emulated density:")
    require(len(words) == 2, "CHGCAR is not a density of this emulator")
    atoms, lmaxmix, *mesh = words[1].split()
    require(int(atoms) == len(inputs.structure), f"CHGCAR is of {atoms} atoms")
    require(int(lmaxmix) >= 4, "CHGCAR was written with LMAXMIX below 4: it does not carry the d occupations")
    own = [int(n) for n in inputs.kpoints.kpts[0]]
    require(not mesh or [int(n) for n in mesh] == own, f"CHGCAR is of the mesh {mesh} and not {own}")


def frame_of(saxis: np.ndarray) -> np.ndarray:
    """Axes of VASP's spin frame as columns: turn z by the polar angle about y, then by the azimuth about z."""
    azimuth, polar = np.arctan2(saxis[1], saxis[0]), np.arccos(saxis[2] / np.linalg.norm(saxis))
    about_y = np.array([[np.cos(polar), 0, np.sin(polar)], [0, 1, 0], [-np.sin(polar), 0, np.cos(polar)]])
    about_z = np.array([[np.cos(azimuth), -np.sin(azimuth), 0], [np.sin(azimuth), np.cos(azimuth), 0], [0, 0, 1]])
    return about_z @ about_y
