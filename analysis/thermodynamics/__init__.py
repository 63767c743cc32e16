"""What a phase costs: gases, compounds, stability windows, reference energies and energy corrections."""
