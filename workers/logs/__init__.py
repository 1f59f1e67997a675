"""Reading the logs of a store's pods for subscriptions: which logs there are, masking, and rate limits."""
