"""The Pulumi dynamic providers, one file each."""
