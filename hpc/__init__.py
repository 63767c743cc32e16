"""Where it runs: the durable local runner and the command line."""
