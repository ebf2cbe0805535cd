"""A fleet as OpenTofu provisions it, to compare ours with."""
