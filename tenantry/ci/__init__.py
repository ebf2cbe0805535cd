"""What a CI service runs around the registry: the review of a pull request, the apply after it, the look for drift."""
