"""The folder of a study: what is in it, how it is filled, read and compared."""
