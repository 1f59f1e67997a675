"""The programs that add the plugin and languages when the WooCommerce image is built.

They run in a container of the image, which has the PHP extensions, on a WordPress that has only a version.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.node.containers import Container, Containers, Image
from tests.node.shops import PHP_SCRIPTS
from tests.node.wordpress import zip_file

BUILD_FOLDER = Path(__file__).parents[2] / "images" / "woocommerce" / "build"
CORE = "https://api.wordpress.org/translations/core/1.0/?version=6.8.3"
PLUGIN = "https://api.wordpress.org/translations/plugins/1.0/?slug=woocommerce&version=10.6.2"
RELEASE = "https://downloads.wordpress.org/plugin/woocommerce.10.6.2.zip"
PACKAGES = {
    CORE: "https://downloads.wordpress.org/translation/core/6.8.3",
    PLUGIN: "https://downloads.wordpress.org/translation/plugin/woocommerce/10.6.2",
}
MEMBER = "woocommerce/woocommerce.php"


def woocommerce(core: str = "6.8", php: str = "7.4") -> bytes:
    """A zip file with a plugin header that requires these versions."""
    says = f" * Version: 10.6.2\n * Author: Automattic\n * Requires at least: {core}\n * Requires PHP: {php}\n"
    return zip_file(
        {
            MEMBER: f"<?php\n/**\n * Plugin Name: WooCommerce\n{says} *\n * @package WooCommerce\n */\n",
            "woocommerce/includes/class-woocommerce.php": "<?php\n// a shop\n",
        }
    )


def language(domain: str, locale: str) -> bytes:
    """A language package as from wordpress.org."""
    return zip_file({f"{domain}{locale}.{kind}": f"{domain} in {locale}" for kind in ("mo", "l10n.php")})


@dataclass(frozen=True)
class Build:
    """A container for a build, with a WordPress without plugin and languages."""

    container: Container
    made: Path

    @property
    def content(self) -> Path:
        return self.made / "site" / "wp-content"

    @property
    def files(self) -> list[str]:
        """Beneath wp-content."""
        return sorted(str(path.relative_to(self.content)) for path in self.content.rglob("*") if path.is_file())

    def publish(self, url: str, content: bytes) -> None:
        """Sets the content of a URL."""
        (self.made / "https" / quote(url, safe="")).write_bytes(content)

    def offer(self, url: str, **packages: bytes) -> None:
        """Publishes a translations list as of wordpress.org, and its packages. `packages`: locale -> zip file."""
        listed = []
        for locale, package in packages.items():
            place = f"{PACKAGES[url]}/{locale}.zip"
            self.publish(place, package)
            entry = {"version": "6.8.3", "updated": "2026-10-01 12:00:00", "english_name": locale, "iso": {"1": locale}}
            listed.append({"language": locale, **entry, "package": place})
        self.publish(url, json.dumps({"translations": listed}).encode())

    def run(self, program: str, *words: str, https: bool = True) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of `plugin` or `languages`."""
        prepend = ["-d", "auto_prepend_file=/test-php/https-stream.php"] if https else []
        done = self.container.exec("php", *prepend, f"/build/{program}.php", "/made/site", *words)
        return done.returncode, done.stdout, done.stderr

    def fails(self, program: str, *words: str, https: bool = True) -> str:
        """Asserts that it fails with one line. Returns that line."""
        code, output, why = self.run(program, *words, https=https)
        assert code == 1, output
        assert why.startswith("ERROR: "), why
        assert why.count("\n") == 1, why
        assert "/build" not in output + why
        return why.removeprefix("ERROR: ").rstrip("\n")

    def add(self, package: bytes, sha256: str = "") -> tuple[int, str, str]:
        """Adds the plugin from a file."""
        return self.run("plugin", "10.6.2", sha256, self.file(package))

    def refuses(self, package: bytes, sha256: str = "") -> str:
        return self.fails("plugin", "10.6.2", sha256, self.file(package))

    def file(self, package: bytes) -> str:
        (self.made / "plugin.zip").write_bytes(package)
        return "/made/plugin.zip"


@pytest.fixture
def build(containers: Containers, woocommerce_image: Image, tmp_path: Path) -> Build:
    made = tmp_path / "made"
    for folder in ("https", "site/wp-includes", "site/wp-content/plugins"):
        (made / folder).mkdir(parents=True)
    (made / "site/wp-includes/version.php").write_text("<?php\n$wp_version = '6.8.3';\n$wp_db_version = 60421;\n")
    for path in made.rglob("*"):
        os.chown(path, 10001, 10001)
    mounts = {"/made": made, "/build": BUILD_FOLDER, "/test-php": PHP_SCRIPTS}
    container = containers.start(woocommerce_image, "sleep", "600", env={}, mounts=mounts)
    assert container.pid, container.log
    return Build(container, made)


def test_a_plugin_that_fits_is_unpacked(build: Build) -> None:
    package = woocommerce()
    digest = hashlib.sha256(package).hexdigest()
    for wanted in ("", digest, f" {digest.upper()}\n"):
        assert build.add(package, wanted) == (0, f"sha256 {digest}\nWooCommerce 10.6.2\n", "")
    assert build.files == ["plugins/woocommerce/includes/class-woocommerce.php", f"plugins/{MEMBER}"]
    assert "Version: 10.6.2" in (build.content / "plugins" / MEMBER).read_text()


def test_a_plugin_that_does_not_fit_says_with_what(build: Build) -> None:
    assert build.refuses(woocommerce(core="6.9")) == (
        "WooCommerce 10.6.2 requires WordPress 6.9 or newer, but BASE has WordPress 6.8.3: "
        "choose an older WOOCOMMERCE_VERSION or WOOCOMMERCE_ZIP, or a newer BASE"
    )
    version = build.container.exec("php", "-r", "echo PHP_VERSION;").stdout
    assert build.refuses(woocommerce(php="99.1")) == (
        f"WooCommerce 10.6.2 requires PHP 99.1 or newer, but BASE has {version}"
    )
    assert build.add(woocommerce(core="6.8.3", php=version))[0] == 0


def test_a_plugin_that_is_another_is_not_unpacked(build: Build) -> None:
    package = woocommerce()
    found, wanted = hashlib.sha256(package).hexdigest(), "a" * 64
    assert build.refuses(package, wanted) == (
        f"the plugin's SHA-256 is {found}, but WOOCOMMERCE_SHA256 asks for {wanted}"
    )
    assert build.files == []


def test_what_is_no_plugin_is_refused_plainly(build: Build) -> None:
    package = woocommerce()
    for wrong in (
        zip_file({"another/another.php": "<?php\n"}),
        package[: len(package) // 2],
        package[:-10],
        b"<html>404 Not Found</html>",
        b"",
    ):
        assert build.refuses(wrong) == f"plugin.zip is no zip file with {MEMBER} in it"
        assert build.files == []
    damaged = package.replace(b"// a shop", b"// a flop")
    assert "class-woocommerce.php" in build.refuses(damaged)
    assert "/made/nowhere.zip" in build.fails("plugin", "10.6.2", "", "/made/nowhere.zip")


def test_a_build_without_the_plugin_says_so(build: Build) -> None:
    assert build.run("plugin", "none", "") == (0, "No WooCommerce\n", "")
    assert build.files == []


def test_a_plugin_of_no_file_is_fetched(build: Build) -> None:
    assert RELEASE in build.fails("plugin", "10.6.2", "")
    package = woocommerce()
    build.publish(RELEASE, package)
    digest = hashlib.sha256(package).hexdigest()
    output = f"Fetching {RELEASE}\nsha256 {digest}\nWooCommerce 10.6.2\n"
    assert build.run("plugin", "10.6.2", digest) == (0, output, "")
    build.publish(RELEASE, package[:100])
    assert build.fails("plugin", "10.6.2", "") == f"{RELEASE} is no zip file with {MEMBER} in it"


def test_a_base_without_wordpress_is_told(build: Build) -> None:
    version = build.made / "site/wp-includes/version.php"
    version.write_text("<?php\n")
    assert build.refuses(woocommerce()) == "/made/site is no WordPress: its version.php names no version"
    version.unlink()
    assert "/made/site/wp-includes/version.php" in build.fails("languages", "de_DE")


def test_languages_are_fetched_for_both(build: Build) -> None:
    assert build.add(woocommerce())[0] == 0
    before = build.files
    languages = build.content / "languages"
    languages.mkdir()
    (languages / "it_IT.mo").write_text("the base's own")
    os.chown(languages, 10001, 10001)
    build.offer(CORE, de_DE=language("", "de_DE"), ar=language("", "ar"), fr_FR=b"not wanted")
    build.offer(PLUGIN, de_DE=language("woocommerce-", "de_DE"), ar=language("woocommerce-", "ar"))
    code, output, why = build.run("languages", " de_DE  ar ")
    assert (code, why) == (0, "")
    assert [line.partition(" ")[0] for line in output.splitlines()] == ["Fetching"] * 8
    assert "fr_FR" not in output
    both = [f"{locale}.{kind}" for locale in ("ar", "de_DE") for kind in ("l10n.php", "mo")]
    words = [f"languages/{name}" for name in both] + [f"languages/plugins/woocommerce-{name}" for name in both]
    assert build.files == sorted([*before, "languages/it_IT.mo", *words])
    assert (languages / "plugins/woocommerce-ar.mo").read_text() == "woocommerce- in ar"


def test_without_the_plugin_only_wordpress_speaks(build: Build) -> None:
    build.offer(CORE, de_DE=language("", "de_DE"))
    code, output, _ = build.run("languages", "de_DE")
    assert (code, output.count("Fetching")) == (0, 2)
    assert build.files == ["languages/de_DE.l10n.php", "languages/de_DE.mo"]


def test_nothing_is_fetched_for_nothing(build: Build) -> None:
    for wanted in ("", "  "):
        assert build.run("languages", wanted, https=False) == (0, "", "")
    assert build.files == []


def test_a_language_that_is_lacking_is_told(build: Build) -> None:
    assert build.add(woocommerce())[0] == 0
    build.offer(CORE, de_DE=language("", "de_DE"), oci=language("", "oci"))
    build.offer(PLUGIN, de_DE=language("woocommerce-", "de_DE"))
    assert build.fails("languages", "de_DE tlh") == (
        "WordPress 6.8.3 has no language tlh: choose others with LANGUAGES"
    )
    assert build.fails("languages", "oci") == "WooCommerce 10.6.2 has no language oci: choose others with LANGUAGES"


def test_languages_that_can_not_be_fetched_fail_plainly(build: Build) -> None:
    assert build.add(woocommerce())[0] == 0
    assert "api.wordpress.org" in build.fails("languages", "de_DE", https=False)  # there is no network
    assert CORE in build.fails("languages", "de_DE")
    for answer in (b"", b'{"translations":[{"language":"de_DE"', b"<html>busy</html>", b'{"error":"busy"}'):
        build.publish(CORE, answer)
        assert build.fails("languages", "de_DE") == f"{CORE} has no list of translations"
    for package, why in ((b"<html>busy</html>", " is no zip file"), (language("", "de_DE")[:-10], " is no zip file")):
        build.offer(CORE, de_DE=package)
        assert build.fails("languages", "de_DE").endswith(f"/de_DE.zip{why}")
    build.offer(CORE, de_DE=language("", "de_DE"))
    build.publish(PLUGIN, b"<html>busy</html>")  # an error, not a missing translation
    assert build.fails("languages", "de_DE") == f"{PLUGIN} has no list of translations"
