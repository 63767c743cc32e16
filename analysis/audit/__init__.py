"""Judges of the review's claims, one function per claim, by the material they speak of."""
