"""The daemon's HTTP side: the registry in IBM's shape, leaks, targets, and what other services report.

It knows requests and answers; what they mean is done by the rooms below, and what takes long by the queue of work. It
needs the `daemon` extra (FastAPI, uvicorn); nothing outside this package imports those.
"""
