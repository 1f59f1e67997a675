"""Names, slugs and hosts of stores: validation, and the translation between them."""

import re
import unicodedata
from urllib.parse import urlsplit

from anyascii import anyascii

from accounts.errors import CallerError, Code
from runtime.settings import ClusterProfile

MAX_NAME = 80
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38})[a-z0-9]")
RESERVED = frozenset(
    """account accounts admin api app apps assets auth billing blog cdn console dashboard demo dev docs fleet ftp
    gateway graphql grafana health healthz help imap internal kube kubernetes legal localhost login mail metrics
    monitoring mx ns ns1 ns2 platform pop prometheus proxy readyz root security server shop sign-in sign-up signin
    signup smtp ssh sso staging static status storefleet store stores support system test webmail wildcard
    www""".split()
)
_DANGEROUS = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = set("\u115f\u1160\u2800\u3164\uffa0\U00013441\U00013442\U0001d159")
"""Letters and symbols without a glyph: Hangul fillers, a Braille pattern, hieroglyphs and a notehead that are blank."""
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def normalize_store_name(name: str) -> str:
    """The name in NFC without outer white space: 1 to 80 characters of any script. Raises CallerError."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise CallerError(Code.INVALID_NAME, "name", f"Give the store a name of 1 to {MAX_NAME} characters.")
    for character in name:
        if unicodedata.category(character) in _DANGEROUS or character in _BIDI:
            message = f"The name has a character that can't be shown (U+{ord(character):04X}). Leave it out."
            raise CallerError(Code.INVALID_NAME, "name", message)
    if not any(unicodedata.category(character)[0] in "LNS" and character not in _BLANK for character in name):
        message = "The name needs at least one letter, digit or symbol that can be seen."
        raise CallerError(Code.INVALID_NAME, "name", message)
    return name


def host_label(host: str, base_domain: str) -> str | None:
    """The label before the base domain in a Host header, without port, in lower case; None: another host.

    It isn't validated: a client may send anything.
    """
    name = host.strip().partition(":")[0].rstrip(".").lower()
    label = name.removesuffix(f".{base_domain}")
    return label if label and label != name and "." not in label else None


def platform_label(public_url: str | None, base_domain: str) -> str | None:
    """The first label of the platform's own host, which no store may have; None: it isn't below the base domain."""
    return host_label(urlsplit(public_url or "").netloc, base_domain)


def store_host(slug: str, profile: ClusterProfile) -> str:
    """The store's host name."""
    return f"{slug}.{profile.base_domain}"


def store_url(slug: str, profile: ClusterProfile) -> str:
    """The store's URL, without a path."""
    port = f":{profile.store_port}" if profile.store_port else ""
    return f"{profile.store_scheme}://{store_host(slug, profile)}{port}"


def slug_syntax_problem(slug: str) -> str | None:
    """Why the slug is malformed, or None."""
    if not SLUG.fullmatch(slug):
        return "Use 3 to 40 lower-case letters (a to z), digits and hyphens, with a letter or digit first and last."
    if slug[2:4] == "--":  # punycode and what may follow it
        return "The third and fourth characters can't both be hyphens."
    return None


def is_reserved(slug: str, platform_label: str | None) -> bool:
    """Whether the platform keeps the slug for itself."""
    return slug in RESERVED or slug == platform_label


def slug_problem(slug: str, platform_label: str | None = None) -> str | None:
    """Why no new store can have the slug, or None."""
    if is_reserved(slug, platform_label):
        return "This address is reserved for the platform. Choose another."
    return slug_syntax_problem(slug)


def check_slug(slug: str, platform_label: str | None, advice: str = "") -> None:
    """Raises CallerError SLUG_RESERVED or INVALID_SLUG if no new store can have the slug; `advice` ends the message."""
    if problem := slug_problem(slug, platform_label):
        code = Code.SLUG_RESERVED if is_reserved(slug, platform_label) else Code.INVALID_SLUG
        raise CallerError(code, "slug", f"{problem}{advice}")


def slugify(name: str, platform_label: str | None = None) -> str:
    """A valid slug that resembles the name, in Latin letters; `my-store` for a name without letters and digits."""
    words = "".join(character if _is_spelt_out(character) else " " for character in re.sub("['\u2019]", "", name))
    slug = re.sub(r"[^a-z0-9]+", "-", anyascii(words).lower()).strip("-")[:40].strip("-")
    if len(slug) < 3 or slug_problem(slug, platform_label) is not None:
        slug = f"my-{slug}".strip("-") if slug else "my-store"
    return slug if slug_problem(slug, platform_label) is None else "my-store"


def _is_spelt_out(character: str) -> bool:
    """Letters with their marks, and digits. The library has words for symbols: ❤ would be `heart`."""
    return unicodedata.category(character)[0] in "LMN"


def numbered_slug(slug: str, number: int) -> str:
    """`fig-2` for `fig` and 2, at most 40 characters."""
    ending = f"-{number}"
    return slug[: 40 - len(ending)].rstrip("-") + ending
