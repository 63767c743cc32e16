"""Spin updates a second of the Monte Carlo on one core: ``python benchmarks/heat_bath_speed.py``."""

from __future__ import annotations

import time

import numpy as np
from magnetoionics.analysis.magnetism.heat_bath_kernel import heat_bath_sweeps


def main(size: int = 12, sweeps: int = 1000) -> None:
    """Simple cubic lattice near its transition, with and without over-relaxation, in CPU time."""
    n = size**3
    grid = np.arange(n).reshape(size, size, size)
    near = np.stack([np.roll(grid, step, axis).ravel() for axis in range(3) for step in (1, -1)], axis=1)
    rng, ones = np.random.default_rng(0), np.ones(n)
    spins = np.tile([0.0, 0.0, 1.0], (n, 1))
    for reflections in (0, 1):
        arguments = (np.arange(0, 6 * n + 1, 6), near.ravel(), np.full(6 * n, 1e-3), 700.0)
        heat_bath_sweeps(spins, *arguments, 5, rng, ones, ones, reflections)
        begin = time.process_time()
        heat_bath_sweeps(spins, *arguments, sweeps, rng, ones, ones, reflections)
        speed = (1 + reflections) * n * sweeps / (time.process_time() - begin)
        print(f"{reflections} over-relaxation sweeps per heat-bath sweep: {speed:.2e} spin updates a second")


if __name__ == "__main__":
    main()
