"""Documents: texts that are stored in a way of their own.

One module a kind, each with `parts` as `scanner.unpack.parts` says.
"""
