"""Faults on order: what is to go wrong, at which requests, and what went wrong."""
