"""What the store image's PHP programs read from their environment, found by reading them."""

import re
from pathlib import Path

IMAGE = Path(__file__).resolve().parents[3] / "images" / "woocommerce"
SITE = sorted((IMAGE / "site").glob("*.php"))
"""Part of WordPress, which runs in every container."""
PROGRAMS = ("web", "install", "prove", "rotate", "cron")
"""By the word that `run` knows them by."""
_READ = re.compile(r"(?:getenv|required|given|chosen)\('([A-Z_]+)'|\$given\(\"([A-Z_]+\{\$\w+\}\w*)\"")
_UNIT = re.compile(r"^(?:final )?(?:function|class) (\w+).*?^}", re.MULTILINE | re.DOTALL)


def code(program: str) -> str:
    """All that can run in it: of the files that it loads, the functions and classes that it gets to."""
    texts = [file.read_text() for file in SITE]
    main = IMAGE / f"{program}.php"
    if program == "web":
        texts.append((IMAGE / "server" / "readyz.php").read_text())
    if main.exists():
        loaded = re.search(r"foreach \(\[(.*?)\] as \$noun\)", main.read_text())
        assert loaded is not None, main
        library = "".join((IMAGE / "lib" / f"{noun}.php").read_text() for noun in re.findall(r"'(\w+)'", loaded[1]))
        texts += _reached(main.read_text(), {unit[1]: unit[0] for unit in _UNIT.finditer(library)})
    return "\n".join(texts)


def _reached(text: str, units: dict[str, str]) -> list[str]:
    found, todo = [text], [text]
    while todo:
        words = set(re.findall(r"\w+", todo.pop()))
        new = [units.pop(name) for name in words & units.keys()]
        found += new
        todo += new
    return found


def reads(text: str) -> set[str]:
    """Names of variables; one with a part that varies as a pattern, such as `WORDPRESS_DB_[A-Z]+`."""
    return {plain or re.sub(r"\{\$\w+\}", "[A-Z_]+", built) for plain, built in _READ.findall(text)}


def demands(text: str) -> set[str]:
    """Those without which it ends at once."""
    return set(re.findall(r"\brequired\('([A-Z_]+)'\)", text))
