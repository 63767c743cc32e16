"""One file per stage of a study, as an engine-neutral flow."""
