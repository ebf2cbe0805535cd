"""The page of the fleet: what `tenantry serve` shows to people, rendered on the server."""
