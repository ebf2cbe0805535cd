"""A small issuer of tokens, so that a service can be tried without anybody's identity provider."""
