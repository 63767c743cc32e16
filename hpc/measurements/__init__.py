"""Measurements of the user beside a study: curves, times, cycles, loops and rows of tracer diffusion."""
