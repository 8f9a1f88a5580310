"""Measures keyfuse beside other scanners on the same bytes, and how its cost grows with the work: `make bench`."""
