"""Languages of stores, as BCP 47 tags: those that the platform's images contain."""

from collections.abc import Sequence

from accounts.errors import CallerError, Code
from runtime.setting_types import LANGUAGE


def choose_language(wanted: str | None, offered: Sequence[str]) -> str:
    """The tag of `offered` that equals `wanted` without regard to case; None: the first. Raises CallerError."""
    if wanted is None:
        return offered[0]
    for tag in offered:
        if tag.lower() == wanted.lower():
            return tag
    message = f"Choose one of these languages: {', '.join(offered)}. The default is {offered[0]}."
    raise CallerError(Code.INVALID_LANGUAGE, "language", message)


def validate_language(tag: str) -> str:
    """The same tag if it is well-formed: existing stores may have one that is no longer offered. Raises CallerError."""
    if not LANGUAGE.fullmatch(tag):
        raise CallerError(Code.INVALID_LANGUAGE, "language", "Give a language as a tag (BCP 47), e.g. de-DE.")
    return tag
