"""Runs over many stacks, one for each app."""
