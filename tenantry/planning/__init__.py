"""What a run would do, in the registry's own words, and the check that it does just that."""
