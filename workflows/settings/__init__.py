"""Settings as a user gives them: from files, within their range."""
