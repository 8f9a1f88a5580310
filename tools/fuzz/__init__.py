"""Fuzzing with atheris; see CONTRIBUTING.md."""
