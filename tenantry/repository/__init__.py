"""A team's own repository: what it begins with, and which version of Tenantry it pins."""
