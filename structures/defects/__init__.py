"""Defects and hops in a cell: vacancies, interstitials, complexes, initial states, pathways."""
