"""Which jobs: engine-neutral jobflow Makers and one adapter per engine."""
