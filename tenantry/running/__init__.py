"""How pulumi is started, and what is asked of it."""
