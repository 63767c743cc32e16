"""Studies on a cluster through jobflow-remote: project, resources, submission, results, and what hangs."""
