"""What a text may be wrapped in: the forms that the first pass looks for, and how to read them once it has hit one."""
