"""One file per kind of point defect, see `defects.kind`."""
