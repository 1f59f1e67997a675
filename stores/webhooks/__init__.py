"""Webhooks: an account's events, sent to an address of the owner's choice, as Standard Webhooks defines it."""
