"""What the URL of a webhook may be. The address that its host leads to is checked at each delivery, not here."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from accounts.errors import CallerError, Code
from runtime.public_addresses import is_reachable

MAX_URL = 2000


def check_url(url: str, private_networks: Sequence[str]) -> str:
    """The URL as it is. Raises CallerError INVALID_URL. `http` is for the operator's `private_networks` only."""
    schemes = ("https", "http") if private_networks else ("https",)
    try:
        parts = urlsplit(url)
        valid = (
            len(url) <= MAX_URL
            and url.isascii()
            and url.isprintable()
            and " " not in url
            and parts.scheme in schemes
            and bool(parts.hostname)
            and parts.port != 0
        )
    except ValueError:  # a malformed port or IPv6 address
        valid = False
    if not valid:
        message = f"Give an https URL, such as https://example.com/hooks, in ASCII, of at most {MAX_URL} characters."
        raise CallerError(Code.INVALID_URL, "url", message)
    if parts.username is not None or parts.password is not None or "#" in url:
        raise CallerError(Code.INVALID_URL, "url", "Give a URL without user, password and fragment (#).")
    try:
        reachable = is_reachable(parts.hostname or "", private_networks)
    except ValueError:  # a name
        reachable = not (parts.hostname or "").endswith("localhost") or bool(private_networks)
    if not reachable:
        raise CallerError(Code.INVALID_URL, "url", "Give a URL with a public address: this one is private.")
    return url


def host_of(url: str) -> str:
    """For logs: the rest of a URL may be a secret."""
    return urlsplit(url).hostname or ""
