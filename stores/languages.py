"""Languages a shop may speak, as BCP 47 tags: those that the platform's images have."""

from collections.abc import Sequence

from accounts.errors import CallerError, Code
from runtime.settings import LANGUAGE


def language(wanted: str | None, offered: Sequence[str]) -> str:
    """One of those offered, as it is written there; None: the first. Raises CallerError."""
    if wanted is None:
        return offered[0]
    for tag in offered:
        if tag.lower() == wanted.lower():
            return tag
    spoken = " or ".join(offered)
    raise CallerError(Code.INVALID_LANGUAGE, "language", f"Stores here speak {spoken}. Without one, {offered[0]}.")


def spoken(tag: str) -> str:
    """The same, of a store that there is already: what is offered to new ones may have changed. Raises CallerError."""
    if not LANGUAGE.fullmatch(tag):
        raise CallerError(Code.INVALID_LANGUAGE, "language", "Give a language as a tag (BCP 47), e.g. de-DE.")
    return tag
