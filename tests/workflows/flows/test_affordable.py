"""What a dear engine computes: a few vacancies for many, maps by symmetry and in a small cell, and it says so."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.hops import hop_along
from magnetoionics.structures.defects.vacancies import distinct_vacancies, representatives, same_site_in
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.anisotropy import map_repeats
from magnetoionics.workflows.flows.building import shortest_hop, vacancy_sites
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.flows.vacancies import study_sites


@dataclass
class DearEngine(LocalEngine):
    """The local engine as if every direction cost a relaxation."""

    dear_spin_orbit: ClassVar[bool] = True
    limit: int = 5

    def vacancy_limit(self):
        return self.limit

    def map_order(self, asked):
        return 7


def test_representatives_cover_every_kind_then_every_surrounding():
    sites = vacancy_sites("zn095co005o", None)
    assert len(sites) > 70
    few = representatives(sites, 12)
    assert len(few) == 12
    assert [s.label for s in few] == [s.label for s in sites if s in few]
    kinds = {(s.element, s.sublattice) for s in sites}
    assert {(s.element, s.sublattice) for s in few} == kinds
    surroundings = {(s.element, s.sublattice, str(s.near_cations), str(s.pairs_in_line)) for s in sites}
    covered = {(s.element, s.sublattice, str(s.near_cations), str(s.pairs_in_line)) for s in few}
    assert len(covered) >= min(12, len(surroundings))
    assert representatives(sites, None) == representatives(sites, 1000) == sites
    assert len(representatives(sites, 1)) == 1


def test_vacancies_named_are_all_computed():
    sites = vacancy_sites("cofe2o4", None)
    engine = DearEngine()
    assert len(study_sites(engine, sites, None)) == min(5, len(sites))
    oxygen = [s for s in sites if s.element == "O"]
    assert study_sites(engine, sites, [("O", "O")]) == oxygen
    assert study_sites(get_engine("local"), sites, None) == sites


def test_a_study_says_what_it_leaves_out():
    notes = {s.stage: s.note for s in MagnetoionicStudyMaker.full(DearEngine(limit=1)).plan("cofe2o4") if s.done}
    assert notes["vacancies"].startswith("1 of ")
    assert "cell of 55 atoms" in notes["anisotropy"]
    assert not any(s.note for s in MagnetoionicStudyMaker.full(get_engine("local")).plan("cofe2o4"))


def test_the_hop_of_a_small_cell_is_that_of_the_large_one():
    host = get_host("cofe2o4")
    cell, kind = host.structure(), host.hops[0]
    assert map_repeats(host, cell, (2, 2, 2)) == (1, 1, 1)
    big = shortest_hop(cell, (2, 2, 2), kind)
    vacancy = distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)[0]
    small = supercell(cell, (1, 1, 1))
    index = same_site_in(small, cell, vacancy.index)
    along = np.array(big.displacement_A)
    hop = hop_along(small, index, vacancy.label, kind.ion, kind.from_sublattice, along)
    assert np.allclose(hop.displacement_A, along, atol=1e-6)
    assert hop.relations == big.relations
    moved = hop.final[hop.mover].coords - hop.initial[hop.mover].coords
    assert np.allclose(moved, along, atol=1e-6)
    with pytest.raises(ValueError, match="no Co"):
        hop_along(small, index, vacancy.label, kind.ion, kind.from_sublattice, 1.4 * along)


def study_of(maker, folder):
    store = open_store(folder)
    flow = maker.make("cofe2o4")
    summary = LocalRunner(store).run(flow)
    assert summary.finished, summary.failed
    return Study.model_validate(flow.output.resolve(store))


@pytest.mark.slow
def test_maps_of_a_dear_engine_are_those_of_all_directions(tmp_path):
    """Symmetry and the small cell change which runs are made, not the map of the pristine cell."""
    dear = MagnetoionicStudyMaker(engine=DearEngine(), stages=["migration", "anisotropy"], repeats=(1, 1, 2))
    plain = MagnetoionicStudyMaker(engine=get_engine("local"), stages=["anisotropy"], lebedev_order=7)
    few, all_directions = (study_of(m, tmp_path / str(k)).anisotropy for k, m in enumerate((dear, plain)))
    maps = {one.state: one for one in few.maps}
    assert set(maps) >= {"pristine", "before", "after"}
    (whole,) = all_directions.maps
    assert np.allclose(maps["pristine"].directions, whole.directions)
    assert np.allclose(maps["pristine"].energies_meV, whole.energies_meV, atol=1e-6)
