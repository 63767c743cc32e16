"""Which jobs: engine-neutral jobflow Makers and one adapter per engine."""

from ..stored import encoding as _encoding  # noqa: F401  registers how job functions are stored
