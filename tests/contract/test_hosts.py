"""What every host keeps: the same after JSON, sites in their order, a defect's cell too."""

import json

import numpy as np
import pytest
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.structures.io.host_content import HostContent
from magnetoionics.structures.spins import total_moment, total_valence
from monty.json import MontyDecoder, MontyEncoder

ORDERS = [(key, order) for key in host_keys() for order in get_host(key).orders]


def sites(cell):
    return [(s.specie.symbol, s.properties["sublattice"], s.properties["valence"]) for s in cell]


@pytest.mark.parametrize("key", host_keys())
def test_it_is_the_same_after_json(key):
    host = get_host(key)
    again = json.loads(json.dumps(HostContent.of(host), cls=MontyEncoder), cls=MontyDecoder).host()
    for name in (
        "key",
        "formula",
        "orders",
        "vacancies",
        "hops",
        "references",
        "gap_eV",
        "anion",
        "layers",
        "no_window",
    ):
        assert getattr(again, name) == getattr(host, name), name
    assert dict(again.hubbard_U_eV) == dict(host.hubbard_U_eV)
    for order in host.orders:
        cell, other = host.structure(order), again.structure(order)
        assert sites(other) == sites(cell)
        assert np.allclose(other.frac_coords, cell.frac_coords, rtol=0, atol=1e-12)
        assert np.array_equal(other.site_properties["magmom"], cell.site_properties["magmom"])


@pytest.mark.parametrize(("key", "order"), ORDERS, ids=" ".join)
def test_what_is_built_of_it_keeps_the_order_of_sites(key, order):
    cell = get_host(key).structure(order)
    present = {site[:2] for site in sites(cell)}
    for element, place in set(get_host(key).vacancies) & present:
        site = distinct_vacancies(cell, element, place)[0]
        left = remove_site(cell, site.index)
        assert sites(left) == sites(cell)[: site.index] + sites(cell)[site.index + 1 :]
        assert total_valence(left) == pytest.approx(-cell[site.index].properties["valence"])
        moment = np.linalg.norm(np.subtract(total_moment(cell), total_moment(left)))
        assert moment == pytest.approx(np.linalg.norm(cell[site.index].properties["magmom"]), abs=1e-9)
