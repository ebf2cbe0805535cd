"""What apps use, and what that costs: measured by Neon, priced by the registry's table, kept in the catalog."""
