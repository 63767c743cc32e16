"""Hops a second of a film that is simulated ion by ion, with ten thousand and a million places, on one core.

Run: python benchmarks/film_speed.py
"""

from __future__ import annotations

import time

from magnetoionics.analysis.device.film_model import FilmModel
from magnetoionics.analysis.device.film_monte_carlo import walk_film
from magnetoionics.analysis.device.film_run import FilmStep

SIDES = (10, 30, 100)


def main() -> None:
    """Print places, hops and hops a second of process time."""
    film = FilmModel(
        thickness_nm=29.67, plane_spacing_A=2.967, barrier_eV=0.5, charge_e=2.0, occupation=0.3, screened=False
    )
    # The first call compiles.
    walk_film(film, [FilmStep(voltage_V=0.1, duration_s=1e-9)])
    for side in SIDES:
        begin = time.process_time()
        made = walk_film(film, [FilmStep(voltage_V=0.5, duration_s=0.2 / side**2)], side=side)
        seconds = time.process_time() - begin
        print(f"{film.planes * side**2:>8} places {made.hops:>8} hops {made.hops / seconds:12.3g} hops/s")


if __name__ == "__main__":
    main()
