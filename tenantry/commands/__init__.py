"""The commands of `tenantry`, one file each."""
