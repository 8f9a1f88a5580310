"""How a token's form is written down, and what is derived from it.

Two notations, `layout` (runs of named alphabets between fixed texts) and `dialect` (a small part of regular
expressions), both become the one tree of `tree`; `render` and `trigger` turn the tree into what the two passes match
with. Nothing here knows rules, files or findings, and nothing here is needed once a rule book is cached.
"""
