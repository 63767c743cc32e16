"""First principles with GPAW: settings, runs with a rescue ladder, spin-orbit coupling, polarisation."""
