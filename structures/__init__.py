"""What is computed: hosts, cation and spin order, supercells, vacancies and hops."""
