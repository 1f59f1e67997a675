"""The e-mail address of a store's owner, as WordPress can store it."""

from accounts.errors import CallerError, Code
from accounts.users import normalize_email

MAX_LENGTH = 100
"""The column `user_email` of WordPress."""
MAX_LOCAL_LENGTH = 64
"""Before the @ (RFC 5321, 4.5.3.1.1)."""


def normalize_admin_email(email: str) -> str:
    """The address in lower case. Raises CallerError INVALID_EMAIL for the field `adminEmail`."""
    try:
        address = normalize_email(email)
    except CallerError as error:
        raise CallerError(error.code, "adminEmail", error.message) from None
    if len(address) > MAX_LENGTH or len(address.partition("@")[0]) > MAX_LOCAL_LENGTH:
        message = f"A shop takes an e-mail address of at most {MAX_LENGTH} characters, {MAX_LOCAL_LENGTH} before the @."
        raise CallerError(Code.INVALID_EMAIL, "adminEmail", f"{message} Give a shorter one.")
    return address
