"""Configurations of gitleaks as rules of ours: `reading` carries over what can be, and names everything that cannot.

Only the format is known here, from its documentation; its rules are whatever the file says. Imported only when such a
file is read.
"""
