"""From what an engine computed to a judged study."""
