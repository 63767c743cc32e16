"""What a job is to whoever runs it: its kind and role, its outputs, what it is expected to cost."""
