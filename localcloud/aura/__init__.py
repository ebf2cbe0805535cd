"""The Aura API (version 1), its token endpoint, and the Query API of its instances."""
