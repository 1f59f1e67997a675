"""What a merchant may call a store. Nothing reaches the cluster that these functions did not let through."""

import re
import unicodedata
from urllib.parse import urlsplit

from accounts.errors import CallerError, Code

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
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def store_name(name: str) -> str:
    """The name in NFC without outer white space: 1 to 80 characters of any script. Raises CallerError."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise CallerError(Code.INVALID_NAME, "name", f"Give the store a name of 1 to {MAX_NAME} characters.")
    for character in name:
        if unicodedata.category(character) in _DANGEROUS or character in _BIDI:
            message = f"The name has a character that can't be shown (U+{ord(character):04X}). Leave it out."
            raise CallerError(Code.INVALID_NAME, "name", message)
    if not any(unicodedata.category(character)[0] in "LNS" for character in name):
        raise CallerError(Code.INVALID_NAME, "name", "The name needs at least one letter, digit or symbol.")
    return name


def label_of(host: str, base_domain: str) -> str | None:
    """The one label before the base domain in a Host header, or None; port, case and a last dot don't count.

    It need not be a slug: anything may come.
    """
    name = host.strip().partition(":")[0].rstrip(".").lower()
    label = name.removesuffix(f".{base_domain}")
    return label if label and label != name and "." not in label else None


def own_label(public_url: str | None, base_domain: str) -> str | None:
    """The platform's own label below the base domain, which no store may have; None when it lives elsewhere."""
    return label_of(urlsplit(public_url or "").netloc, base_domain)


def shape_problem(slug: str) -> str | None:
    """Why no store ever had that slug, or None."""
    if not SLUG.fullmatch(slug):
        return "Use 3 to 40 lower-case letters (a to z), digits and hyphens, with a letter or digit first and last."
    if slug[2:4] == "--":  # punycode and what may follow it
        return "The third and fourth characters can't both be hyphens."
    return None


def slug_problem(slug: str, own: str | None = None) -> str | None:
    """Why it can't be the first label of the store's address, or None. `own`: see own_label."""
    if slug in RESERVED or slug == own:
        return "This address is reserved for the platform. Choose another."
    return shape_problem(slug)


def slug_from(name: str, own: str | None = None) -> str:
    """A valid slug that resembles the name; a name without usable letters gives `my-store`. `own`: see own_label."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o").replace("æ", "ae")).casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    slug = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "").replace("\u2019", "")))
    slug = slug[:40].strip("-")
    if len(slug) < 3 or slug_problem(slug, own) is not None:
        slug = f"my-{slug}".strip("-") if slug else "my-store"
    return slug if slug_problem(slug, own) is None else "my-store"


def numbered(slug: str, number: int) -> str:
    """`fig-2` for `fig`, within 40 characters."""
    ending = f"-{number}"
    return slug[: 40 - len(ending)].rstrip("-") + ending
