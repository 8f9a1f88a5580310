"""Packs, read without git: which bytes of every object are new, so that only those need be looked at.

`table` and `walk` are compiled where the build had a C compiler. They run uncompiled too, with the same results, but
then `git cat-file` is quicker: the history is read through it (`scanner.sources.git.objects`). The same is done for
whatever is not as it should be in a pack, so that it is git's word that something is damaged.
"""
