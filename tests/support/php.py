"""Finds the environment variables that the PHP programs of the WooCommerce image read, from their source text."""

import re
from pathlib import Path

IMAGE = Path(__file__).resolve().parents[2] / "images" / "woocommerce"
MU_PLUGIN = sorted((IMAGE / "mu-plugin").glob("*.php"))
"""The must-use plugin, which runs in every program that loads WordPress."""
PROGRAMS = ("web", "install", "prove", "rotate", "cron")
"""The arguments of `run`."""
_READ = re.compile(
    r"(?:getenv|required_env|optional_env|choice_env|\$env)\('([A-Z_]+)'|\$env\(\"([A-Z_]+\{\$\w+\}\w*)\""
)
_DEFINITION = re.compile(r"^(?:final )?(?:function|class) (\w+).*?^}", re.MULTILINE | re.DOTALL)


def code(program: str) -> str:
    """The source of the must-use plugin and of a program, with the functions and classes of lib/ that it uses."""
    texts = [file.read_text() for file in MU_PLUGIN]
    main = IMAGE / f"{program}.php"
    if program == "web":
        texts.append((IMAGE / "server" / "readyz.php").read_text())
    if main.exists():
        loaded = re.search(r"foreach \(\s*\[(.*?)\] as \$name\s*\)", main.read_text())
        assert loaded is not None, main
        library = "".join((IMAGE / "lib" / f"{name}.php").read_text() for name in re.findall(r"'([\w-]+)'", loaded[1]))
        texts += _used(main.read_text(), {found[1]: found[0] for found in _DEFINITION.finditer(library)})
    return "\n".join(texts)


def _used(text: str, definitions: dict[str, str]) -> list[str]:
    found, pending = [text], [text]
    while pending:
        words = set(re.findall(r"\w+", pending.pop()))
        new = [definitions.pop(name) for name in words & definitions.keys()]
        found += new
        pending += new
    return found


def reads(text: str) -> set[str]:
    """Names of variables that the program reads; interpolated ones as a pattern, such as `WORDPRESS_DB_[A-Z_]+`."""
    return {literal or re.sub(r"\{\$\w+\}", "[A-Z_]+", pattern) for literal, pattern in _READ.findall(text)}


def requires(text: str) -> set[str]:
    """Names of variables that the program can't run without."""
    return set(re.findall(r"\brequired_env\('([A-Z_]+)'\)", text))
