"""Sends the messages of webhooks."""
