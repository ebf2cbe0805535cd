"""How an existing Neon project comes under the registry, and how an app leaves it with its project kept."""
