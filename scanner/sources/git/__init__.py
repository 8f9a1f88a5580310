"""Git repositories: work tree, index, whole history, messages, refs and reflogs.

Everything is read by the `git` program, started in one place (`command`) so that nothing a repository's own
configuration names can run. Nothing here writes to a repository, and nothing here uses the network.
"""
