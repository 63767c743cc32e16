"""Runs flows on this machine: runner, worker processes, run log, job hashes, stores, recovery."""
