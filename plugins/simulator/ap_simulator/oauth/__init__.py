"""Intuit's OAuth 2.0 server: discovery, consent, tokens with rotation, revocation."""
