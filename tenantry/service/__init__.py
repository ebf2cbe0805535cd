"""The HTTP API of self-service: optional, with the extra `tenantry[service]`."""
