"""The registry as an operator writes it: which keys there are, and what each value may be.

Each part of the file has a module here, with the kinds of its values first and its keys after them. Every key that
defaults may supply is optional; None means "not written". Rules that concern several values are in `checks`.
"""
