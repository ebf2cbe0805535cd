"""The Pulumi components of a tenant's app."""
