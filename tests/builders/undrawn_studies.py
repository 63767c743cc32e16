"""`run_study` and `magnetoionics.run` for tests that look at no picture of the study that they compute."""

import magnetoionics
from magnetoionics.hpc.study_folder import study_run
from without_figures import without_figures

run_study = without_figures()(study_run.run_study)
run = without_figures()(magnetoionics.run)
