"""Programs for those who work on keyfuse."""
