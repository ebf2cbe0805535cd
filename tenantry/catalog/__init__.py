"""The control plane: which apps, services and API keys there are, and what may be done with a key."""
