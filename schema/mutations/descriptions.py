"""Descriptions that several inputs, payloads and arguments share."""

IDEMPOTENCY_KEY = (
    "1 to 255 characters, kept for 24 hours: a repeated request of the account with the same key acts only once. "
    "The HTTP header Idempotency-Key does the same."
)
ACCOUNT_ID = "Optional if the caller has exactly one account."
USER_ERRORS = "Errors in the input; empty on success."
