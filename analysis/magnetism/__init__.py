"""E(n) and what follows from it: axes, constants, the unidirectional picture, exchange, hysteresis."""
