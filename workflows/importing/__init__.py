"""Finished runs of a group, brought in: which folder is what, what it lacks, and the study that follows."""
