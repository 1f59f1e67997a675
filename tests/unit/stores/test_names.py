"""Validation of store names and slugs, and the slugs made from names."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import CallerError, Code
from stores.names import (
    MAX_NAME,
    RESERVED,
    host_label,
    normalize_store_name,
    numbered_slug,
    platform_label,
    slug_problem,
    slugify,
)

NAMES = ["Fig & Olive", "Ñandú", "いちご", "متجر التين", "🧶", "7", "O\u2019Neill's", "a" * MAX_NAME, "👩‍🌾 Farm"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_script_are_kept(name: str) -> None:
    assert normalize_store_name(f"  {name}\t") == unicodedata.normalize("NFC", name)


def test_one_name_has_one_spelling() -> None:
    assert normalize_store_name("Cafe\u0301") == normalize_store_name("Caf\u00e9") == "Café"


@pytest.mark.parametrize("name", ["", " \n ", "a" * (MAX_NAME + 1)])
def test_a_name_has_1_to_80_characters(name: str) -> None:
    with pytest.raises(CallerError, match="1 to 80 characters") as refusal:
        normalize_store_name(name)
    assert (refusal.value.code, refusal.value.field) == (Code.INVALID_NAME, "name")


@pytest.mark.parametrize(
    "character", ["\0", "\n", "\x1b", "\x7f", "\u2028", "\u2029", "\u202e", "\u200f", "\u2066", "\ud800", "\ue000"]
)
def test_characters_that_cant_be_shown_are_refused_by_number(character: str) -> None:
    with pytest.raises(CallerError, match=f"U\\+{ord(character):04X}") as refusal:
        normalize_store_name(f"Fig{character}Olive")
    assert refusal.value.code == Code.INVALID_NAME


@pytest.mark.parametrize(
    "name",
    [
        "...",
        "\u200b\u200b",
        "-\u2013\u2014",
        "\u0301",
        "\u3164",
        "\u2800 \u2800",
        "\u115f\u1160",
        "\uffa0.",
        "\u200d\ufe0f",
    ],
)
def test_a_name_is_more_than_punctuation(name: str) -> None:
    with pytest.raises(CallerError, match="at least one letter, digit or symbol"):
        normalize_store_name(name)


@given(st.text(max_size=100))
def test_a_name_that_passed_passes_again_unchanged(given_name: str) -> None:
    try:
        name = normalize_store_name(given_name)
    except CallerError:
        return
    assert normalize_store_name(name) == name
    assert 1 <= len(name) <= MAX_NAME
    assert name.isprintable() or {unicodedata.category(c) for c in name if not c.isprintable()} <= {"Cf", "Zs"}


@pytest.mark.parametrize("slug", ["fig", "a1b", "fig-and-olive", "0-0", "a" * 40, "abc--def", "a--b"])
def test_good_slugs(slug: str) -> None:
    assert slug_problem(slug) is None


@pytest.mark.parametrize(
    "slug", ["", "ab", "a" * 41, "-abc", "abc-", "Fig", "fig olive", "fig.olive", "fig_olive", "abc\n", "feigé", "a²c"]
)
def test_what_is_no_dns_label_of_ours(slug: str) -> None:
    assert "3 to 40 lower-case letters" in str(slug_problem(slug))


@pytest.mark.parametrize("slug", ["xn--fig", "xn--80ak6aa92e", "ab--c"])
def test_punycode_could_look_like_anything(slug: str) -> None:
    assert "third and fourth" in str(slug_problem(slug))


@pytest.mark.parametrize("slug", ["api", "www", "admin", "sign-in", "storefleet"])
def test_the_platforms_own_addresses_are_reserved(slug: str) -> None:
    assert "reserved" in str(slug_problem(slug))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Fig & Olive", "fig-olive"),
        ("Straße Süd", "strasse-sud"),
        ("Bob's Café", "bobs-cafe"),
        ("Smørrebrød", "smorrebrod"),
        ("Østergaard", "ostergaard"),
        ("østergaard", "ostergaard"),
        ("Łódź & Đặng", "lodz-dang"),
        ("Þór Ðórðarson", "thor-dordarson"),
        ("Œuvre ÆGIR ẞ \u0131 İ", "oeuvre-aegir-ss-i-i"),
        ("Αθήνα Москва", "athina-moskva"),
        ("❤ Tea №1 ½", "tea-1-1-2"),
        ("  --- A  B ---  ", "a-b"),
        ("Fig", "fig"),
        ("Ab", "my-ab"),
        ("Admin", "my-admin"),
        ("いちご", "ichigo"),
        ("🧶", "my-store"),
        ("…", "my-store"),
        ("x" * 60, "x" * 40),
        ("x" * 39 + " yes", "x" * 39),
    ],
)
def test_a_slug_resembles_the_name(name: str, slug: str) -> None:
    assert slugify(name) == slug


@given(st.text(max_size=100) | st.sampled_from(sorted(RESERVED)))
def test_any_name_gives_a_good_slug(name: str) -> None:
    assert slug_problem(slugify(name)) is None


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]", fullmatch=True), st.integers(2, 2**24))
def test_a_numbered_slug_is_as_good_as_the_one_it_came_from(slug: str, number: int) -> None:
    made = numbered_slug(slug, number)
    assert made.endswith(f"-{number}")
    assert slug_problem(made) is None or slug_problem(slug) is not None


def test_a_number_takes_the_place_of_the_end() -> None:
    assert numbered_slug("fig", 2) == "fig-2"
    assert numbered_slug("x" * 40, 10) == "x" * 37 + "-10"
    assert numbered_slug("x" * 37 + "-yy", 2) == "x" * 37 + "-2"


@pytest.mark.parametrize(
    ("host", "label"),
    [
        ("fig.stores.example.com", "fig"),
        ("FIG.Stores.example.COM:8000", "fig"),
        (" fig.stores.example.com. ", "fig"),
        ("fig.stores.example.com.:443", "fig"),
        ("fig.stores.example.com:", "fig"),
        ("xn--fig_%00 <b>.stores.example.com", "xn--fig_%00 <b>"),
        ("stores.example.com", None),
        (".stores.example.com", None),
        ("a.fig.stores.example.com", None),
        ("stores.example.com.stores.example.com", None),
        ("figstores.example.com", None),
        ("fig.stores.example.com.example.org", None),
        ("fig.stores-example.com", None),
        ("127.0.0.1:8000", None),
        ("[::1]:8000", None),
        ("[::ffff:127.0.0.1]", None),
        ("storefleet-api", None),
        (":", None),
        ("", None),
    ],
)
def test_a_stores_host_has_one_label_before_the_base_domain(host: str, label: str | None) -> None:
    assert host_label(host, "stores.example.com") == label


@pytest.mark.parametrize(
    ("public_url", "label"),
    [
        (None, None),
        ("https://fleet.example.com", None),
        ("https://stores.example.com", None),
        ("https://atelier.stores.example.com", "atelier"),
        ("http://Atelier.stores.example.com:8000/", "atelier"),
        ("https://a.atelier.stores.example.com", None),
    ],
)
def test_the_platform_may_live_beside_its_stores(public_url: str | None, label: str | None) -> None:
    assert platform_label(public_url, "stores.example.com") == label


def test_the_platforms_own_label_is_no_stores() -> None:
    assert "reserved" in str(slug_problem("atelier", "atelier"))
    assert slug_problem("atelier", "other") is None
    assert slugify("Atelier", "atelier") == "my-atelier"
    assert slugify("Admin", "my-admin") == "my-store"
