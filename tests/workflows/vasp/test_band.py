"""Bands on the emulator: VTST inputs, split paths, spins, and the residual as the judge."""

import numpy as np
import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from ase.mep import NEB
from jobflow import Flow
from magnetoionics.analysis.results.calculation import Calculation, InvalidResultError, invalid_because
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.evaluation.guards import no_spin_flip
from magnetoionics.workflows.flows.building import shortest_hop
from magnetoionics.workflows.vasp.band_judgement import band_forces, moved, patched
from magnetoionics.workflows.vasp.finished.band import read_image
from magnetoionics.workflows.vasp.finished.document import VaspRun
from magnetoionics.workflows.vasp.jobs import common_fields
from magnetoionics.workflows.vasp.neb import split_band
from magnetoionics.workflows.vasp.segment import (
    SegmentMaker,
    band_incar,
    image_density,
    moments_differ,
    segment_fields,
    start_images,
)
from magnetoionics.workflows.vasp.settings import VaspBandSettings, VaspSettings, VaspSettingsError
from vasp_running import commands, engine, run


@pytest.fixture(scope="module")
def hop():
    host = get_host("cofe2o4")
    return shortest_hop(host.structure(), (1, 1, 1), host.hops[0])


def test_climbing_and_every_vtst_choice_are_written(hop):
    for climb in (True, False):
        incar = band_incar(hop.initial, VaspSettings(), VaspBandSettings(climb=climb))
        assert incar["LCLIMB"] is climb
        assert incar["SPRING"] == -5
        assert (incar["IBRION"], incar["POTIM"], incar["IOPT"], incar["ICHAIN"]) == (3, 0, 1, 0)
        assert incar["IMAGES"] == 3


def test_ranks_must_fit_the_images():
    with pytest.raises(VaspSettingsError, match="multiple of 3"):
        VaspBandSettings(ranks=128)
    assert VaspBandSettings(ranks=126).ranks == 126


def test_handlers_that_would_write_into_a_band_are_off():
    handlers = segment_fields(commands(), common_fields(commands()))["run_vasp_kwargs"]["handlers"]
    names = {type(h).__name__ for h in handlers}
    assert "VaspErrorHandler" in names
    assert not names & {"UnconvergedErrorHandler", "PotimErrorHandler", "LargeSigmaHandler", "IncorrectSmearingHandler"}


def test_an_image_that_vtst_did_not_move_is_invalid(hop):
    """Without the patch IBRION = 3 and POTIM = 0 leave every image where it was put, and VASP says nothing."""
    still = VaspRun(folder="01", ionic_steps=12, structure=hop.initial)
    assert patched(still).passed is False
    assert patched(still).invalidates
    assert patched(still.model_copy(update={"vtst": "VTST: version 4.1, (05/19/21)"})).passed
    assert moved(still, hop.initial, hop.initial).passed is False
    shifted = hop.initial.copy()
    shifted.translate_sites([hop.mover], [0.01, 0, 0], frac_coords=False)
    assert moved(still, shifted, hop.initial).passed
    assert moved(still.model_copy(update={"ionic_steps": 1}), hop.initial, hop.initial).passed is None


def test_moments_lie_between_those_of_the_ends(hop):
    right = hop.final.copy()
    magmom = [0.5 * m for m in right.site_properties["magmom"]]
    right.add_site_property("magmom", magmom)
    images = start_images(hop.initial, right, 3)
    middle = np.array(images[2].site_properties["magmom"])
    assert np.allclose(middle, 0.75 * np.array(hop.initial.site_properties["magmom"]))
    assert images[2].site_properties["valence"] == hop.initial.site_properties["valence"]


def test_a_spin_flip_between_the_ends_is_refused(hop):
    first = hop.initial.site_properties["magmom"]
    flipped = [-m if i == hop.mover else m for i, m in enumerate(first)]
    assert no_spin_flip(first, first).passed
    check = no_spin_flip(first, flipped)
    assert check.passed is False
    assert str(hop.mover) in check.note


def test_images_given_to_the_maker_stay_as_they_are(hop, tmp_path, monkeypatch):
    images = start_images(hop.initial, hop.final, 2)
    before = [image.copy() for image in images]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VaspSettingsError, match="IMAGES = 3"):
        SegmentMaker.make.original(SegmentMaker(), images)
    assert len(images) == 4
    assert images == before


def test_band_forces_are_those_of_an_independent_code(hop):
    local = get_engine("local")
    images = start_images(hop.initial, hop.intermediates[0], 3)
    atoms = [to_atoms(s) for s in images]
    for a in atoms:
        a.calc = local.make_calculator(atoms[0], hop.mover)
    for climb in (False, True):
        neb = NEB(atoms, k=5.0, method="improvedtangent", climb=climb, allow_shared_calculator=True)
        expected = neb.get_forces().reshape(3, -1)
        energies = np.array([a.get_potential_energy() for a in atoms])
        true = np.array([a.get_forces().ravel() for a in atoms[1:-1]])
        path = np.array([a.positions.ravel() for a in atoms])
        assert np.allclose(band_forces(path, energies, true, 5.0, climb), expected, atol=1e-8)


@pytest.mark.slow
def test_band_has_the_barrier_of_the_model(hop, tmp_path):
    """The same hop as the local engine's driver computes, by VTST inputs, custodian and atomate2's documents."""
    made = engine(VaspSettings(kpoint_mesh=(2, 2, 2)))
    flow = made.band(hop.initial, hop.final, hop.intermediates, mover=hop.mover, name="band")
    band = run(flow, tmp_path)
    assert invalid_because(band.checks) == []
    assert band.converged, [c for c in band.checks if c.passed is False]
    kinds = [i.kind for i in band.images]
    assert kinds.count("minimum") == 1
    assert kinds.count("saddle") == 2
    # The emulator spreads the missing charge over all cations, the mover included.
    local = get_engine("local")
    first = to_atoms(band.images[0].structure)
    first.calc = local.make_calculator(first, None)
    saddle = max(band.images, key=lambda i: i.energy_eV)
    top = to_atoms(saddle.structure)
    top.calc = first.calc
    rise = top.get_potential_energy() - to_energy(first)
    assert band.forward_eV == pytest.approx(rise, abs=2e-4)
    assert 0.2 < band.forward_eV < 1.2
    assert band.images[0].structure.site_properties["sublattice"] == hop.initial.site_properties["sublattice"]
    steps = np.diff([i.structure.cart_coords for i in band.images], axis=0)
    assert np.linalg.norm(steps, axis=2).max() < 1.5


def to_energy(atoms):
    return atoms.get_potential_energy()


def test_a_band_between_magnetic_states_is_refused_before_it_is_run(hop):
    def calculation(structure, name):
        return Calculation(
            name=name,
            structure=structure,
            energy_eV=0.0,
            max_force_eV_per_A=0.0,
            force_calls=1,
            total_moment_muB=0.0,
            provenance=get_engine("local").provenance(),
        )

    final = hop.final.copy()
    magmom = list(final.site_properties["magmom"])
    magmom[hop.mover] *= -1
    final.add_site_property("magmom", magmom)
    with pytest.raises(InvalidResultError, match="no spin flip"):
        split_band.original(
            calculation(hop.initial, "initial end"),
            calculation(final, "final end"),
            [],
            mover=hop.mover,
            settings=VaspSettings(),
            band=VaspBandSettings(),
            fields={},
            statics={},
        )


@pytest.mark.slow
def test_images_between_moments_of_other_size_start_from_their_own_densities(hop, tmp_path):
    """Two ends that differ in the size of a moment: three densities, each moved into its image's folder."""
    right = hop.intermediates[0].copy()
    magmom = list(right.site_properties["magmom"])
    magmom[hop.mover] = 2.4
    right.add_site_property("magmom", magmom)
    assert moments_differ(hop.initial, right)
    assert not moments_differ(hop.initial, hop.final)
    images = start_images(hop.initial, right, 3)
    assert images[2].site_properties["magmom"][hop.mover] == pytest.approx(2.7)
    settings, band = VaspSettings(kpoint_mesh=(1, 1, 1)), VaspBandSettings(max_steps=3)
    statics = common_fields(commands())
    before = [image_density(image, k, 1, settings, statics) for k, image in enumerate(images[1:-1], 1)]
    maker = SegmentMaker(settings=settings, band=band, from_densities=True, **segment_fields(commands(), statics))
    made = maker.make(images, densities=[d.output.dir_name for d in before])
    made.update_metadata({"own_folder": True})
    task = run(Flow([*before, made], output=made.output), tmp_path)
    assert [read_image(task.dir_name, k).ionic_steps > 0 for k in (1, 2, 3)] == [True] * 3
    (folder,) = tmp_path.glob("store/files/NEB*")
    for number in (1, 2, 3):
        assert any((folder / f"{number:02d}").glob("CHGCAR*"))
