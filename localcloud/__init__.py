"""A local cloud: the Neon API with real PostgreSQL behind it, and the Aura API, on this machine, with no account.

One daemon per data folder serves everything. No product code imports this package, and it imports none.
"""
