"""A new WooCommerce shop's theme, texts, legal pages and pictures, as files: what can be checked without WordPress."""

import json
import re
import struct
from pathlib import Path

import pytest

IMAGE = Path(__file__).parents[3] / "images" / "woocommerce"
THEME = IMAGE / "theme"
LANGUAGES = sorted((IMAGE / "languages").glob("*.l10n.php"))
STYLES = sorted((THEME / "styles").glob("*.json"))
PHP_STRING = r"'((?:[^'\\]|\\.)*)'"
CALL = re.compile(rf"\b(?:__|_e|esc_html__|esc_html_e|esc_attr_e)\(\s*{PHP_STRING},\s*'storefleet'", re.DOTALL)
CALL_WITH_CONTEXT = re.compile(rf"\b_x\(\s*{PHP_STRING},\s*{PHP_STRING},\s*'storefleet'", re.DOTALL)


def sources() -> str:
    return "\n".join(path.read_text() for folder in ("lib", "mu-plugin", "theme") for path in php(IMAGE / folder))


def php(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.php"))


def unescape(text: str) -> str:
    return text.replace("\\'", "'")


def used_texts() -> set[str]:
    """The texts that the code translates, as keys of a language file."""
    texts = {unescape(text) for text in CALL.findall(sources())}
    contexts = {f"{unescape(context)}\\4{unescape(text)}" for text, context in CALL_WITH_CONTEXT.findall(sources())}
    return texts | contexts


def translations(file: Path) -> dict[str, str]:
    pairs = re.findall(rf"(?:{PHP_STRING}|\"([^\"]*)\")\s*=>\s*{PHP_STRING}", file.read_text())
    return {unescape(single) or double: unescape(text) for single, double, text in pairs}


def palette(file: Path) -> dict[str, str]:
    return {color["slug"]: color["color"] for color in json.loads(file.read_text())["settings"]["color"]["palette"]}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG."""

    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda path: path.name)
def test_a_language_has_every_text_and_no_other(file: Path) -> None:
    found = translations(file)
    assert found.keys() == used_texts()
    assert len(found) > 30
    for text, translated in found.items():
        assert re.findall(r"%\d?\$?s|<\w+|</\w+>", text) == re.findall(r"%\d?\$?s|<\w+|</\w+>", translated), text


def test_legal_pages_exist_in_each_language_with_the_same_fields() -> None:
    english = {path.name: path for path in (IMAGE / "pages" / "en").iterdir()}
    assert english.keys() == {"terms.md", "privacy.md", "returns.md", "returns-eu.md", "imprint.md"}
    folders = {path.name for path in (IMAGE / "pages").iterdir()}
    assert folders == {"en", *(path.name.split(".")[0] for path in LANGUAGES)}
    for folder in folders:
        for name, page in english.items():
            text, same = (IMAGE / "pages" / folder / name).read_text(), page.read_text()
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", same)) <= {"{shop}", "{email}"}, name
            assert text.startswith("["), "the first paragraph says that it is a draft"
            assert text.count("[") >= 3, f"{folder}/{name} says what the owner has to add"


@pytest.mark.parametrize("file", STYLES, ids=lambda path: path.stem)
def test_a_palette_can_be_read(file: Path) -> None:
    colors = palette(file)
    assert colors.keys() == palette(THEME / "theme.json").keys()
    for text, background in (
        ("#FFFFFF", colors["accent-1"]),
        ("#FFFFFF", colors["accent-3"]),
        (colors["base"], colors["accent-3"]),
        *((colors["contrast"], colors[name]) for name in ("base", "accent-2", "accent-5")),
        *((colors["accent-4"], colors[name]) for name in ("base", "accent-5")),
    ):
        assert contrast(text, background) >= 4.5, (text, background)


def test_the_default_palette_is_one_of_the_choices() -> None:
    assert palette(THEME / "theme.json") in [palette(file) for file in STYLES]


def test_templates_lead_to_parts_and_patterns_that_exist() -> None:
    parts = {path.stem for path in (THEME / "parts").glob("*.html")}
    patterns = {re.findall(r"\* Slug: (\S+)", path.read_text())[0] for path in (THEME / "patterns").glob("*.php")}
    assert {part["name"] for part in json.loads((THEME / "theme.json").read_text())["templateParts"]} == parts
    for file in THEME.rglob("*.html"):
        text = file.read_text()
        assert set(re.findall(r'wp:template-part {"slug":"([\w-]+)"}', text)) <= parts, file
        used = re.findall(r'wp:pattern {"slug":"(storefleet/[\w-]+)"}', text)
        assert set(used) <= patterns, file


@pytest.mark.parametrize("file", [*THEME.rglob("*.html"), *php(THEME / "patterns")], ids=lambda path: path.name)
def test_blocks_are_closed(file: Path) -> None:
    opened: list[str] = []
    for end, name, attributes, void in re.findall(
        r"<!-- (/)?wp:([\w/-]+)( {.*?})?\s*(/)?-->", re.sub(r"<\?php.*?\?>", "", file.read_text(), flags=re.DOTALL)
    ):
        if attributes:
            json.loads(attributes)
        if end:
            assert opened.pop() == name
        elif not void:
            opened.append(name)
    assert opened == []


def test_pictures_are_small_squares_of_the_sizes_that_the_code_names() -> None:
    sizes = [int(size) for size in re.findall(r"'woocommerce_\w+' => (\d+)", (IMAGE / "lib/pictures.php").read_text())]
    assert len(sizes) == 3
    names = {f"sample-product-{size}x{size}.webp": size for size in sizes} | {"sample-product.webp": 800}
    assert {path.name for path in (IMAGE / "pictures").iterdir()} == set(names)
    for name, size in names.items():
        data = (IMAGE / "pictures" / name).read_bytes()
        assert data[:4] + data[8:16] == b"RIFFWEBPVP8 ", name
        assert [side & 0x3FFF for side in struct.unpack("<HH", data[26:30])] == [size, size]
        assert len(data) < 20_000
    svg = (THEME / "assets" / "hero.svg").read_text()
    assert len(svg) < 10_000
    assert not re.search(r"<script|\bon\w+=|href|url\((?!#)", svg)


def test_the_theme_names_its_parent_and_no_other_site() -> None:
    assert "\nTemplate: twentytwentyfive\n" in (THEME / "style.css").read_text()
    for path in THEME.rglob("*"):
        if path.is_file() and path.name != "style.css":
            text = path.read_text().replace("https://schemas.wp.org", "").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://", text), path
