"""The WooCommerce image fits the manifests that run it, and its definition is complete."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sandbox.images import definition
from tests.support.php import IMAGE, PROGRAMS, code, reads, requires
from tests.support.rendered import containers, profile, render
from workers.engines import pods
from workers.engines.woocommerce import ENGINE, PROBE_PORT, UPLOADS, WEB_PORT

ROOT = IMAGE.parents[1]
DOCKERFILE = (IMAGE / "Dockerfile").read_text()
APACHE = (IMAGE / "server" / "httpd.conf").read_text()
RUN = (IMAGE / "run").read_text()
PHP = sorted(IMAGE.rglob("*.php"))
STYLED_PHP = [path for path in PHP if path.parent.name != "patterns"]
"""Without block patterns: HTML that is formatted as WordPress writes it."""
COMPONENTS = ("web", "install", "proof", "cron", "rotate")


def container(component: str) -> dict[str, Any]:
    [found] = [item for item in containers(render()) if item["name"] == component]
    return found


def program(component: str) -> str:
    """The argument of `run` in that container."""
    starter, word = container(component)["command"]
    assert starter == "/opt/storefleet/run"
    return str(word)


def variables(component: str) -> set[str]:
    return {item["name"] for item in container(component)["env"]}


def unknown(patterns: set[str], names: set[str]) -> set[str]:
    """The names that match no pattern."""
    return {name for name in names if not any(re.fullmatch(pattern, name) for pattern in patterns)}


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_program_is_given_what_it_needs_and_reads_what_it_is_given(component: str) -> None:
    text, given = code(program(component)), variables(component)
    assert requires(text) <= given
    assert unknown(reads(text), given) == set()


def test_all_that_is_read_is_given_or_optional_and_written_down() -> None:
    read = set().union(*(reads(code(name)) for name in PROGRAMS))
    given = set().union(*(variables(component) for component in COMPONENTS))
    unset = {pattern for pattern in read if not any(re.fullmatch(pattern, name) for name in given)}
    documented = re.findall(r"^\| `(STORE_\w+)`", (ROOT / "docs" / "ENGINES.md").read_text(), re.MULTILINE)
    assert unset == set(documented)
    assert documented


def test_the_starter_knows_every_program() -> None:
    words = set(re.findall(r"\w+", " ".join(re.findall(r"^([\w |]+)\)", RUN, re.MULTILINE)))) - {"max"}
    assert words == set(PROGRAMS)
    assert {program(component) for component in COMPONENTS} == words
    assert "usage: run " + " | ".join(PROGRAMS) in RUN


def test_web_answers_where_it_is_asked() -> None:
    assert f"Listen {WEB_PORT}\n" in APACHE
    assert f"EXPOSE {WEB_PORT}\n" in DOCKERFILE
    assert f"Listen {PROBE_PORT}\n" in APACHE
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        path, port = (container("web")[name]["httpGet"][key] for key in ("path", "port"))
        assert port == PROBE_PORT  # a probe doesn't wait behind visitors
        [file] = re.findall(rf"^Alias {path} /opt/storefleet/(.*)$", APACHE, re.MULTILINE)
        assert (IMAGE / file).exists()


def test_redirects_lead_to_the_stores_url() -> None:
    """Apache would write http: TLS ends before it. `-t` and the build need a value, too."""
    assert "\nServerName ${STORE_URL}\nUseCanonicalName On\n" in APACHE
    assert "STORE_URL" in variables("web")
    for text in (DOCKERFILE, (IMAGE / "build" / "compile").read_text()):
        assert text.count("WORKERS=3 STORE_URL=http://localhost") == 1


def test_xml_rpc_is_served_only_where_plugins_may_need_it() -> None:
    [section] = re.findall(r"<IfDefine !PLUGINS>(.*?)</IfDefine>", APACHE, re.DOTALL)
    assert re.search(r"<Location /xmlrpc\.php>\s+Require all denied", section)
    assert APACHE.count("xmlrpc") == 1


def test_one_size_limits_an_upload_everywhere() -> None:
    [ingress] = [item for item in render().resources if item["kind"] == "Ingress"]
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"] == "64m"
    assert f"\nLimitRequestBody {64 * 2**20}\n" in APACHE
    settings = (IMAGE / "server" / "php.ini").read_text()
    assert re.findall(r"^(?:post_max_size|upload_max_filesize) = (.*)$", settings, re.MULTILINE) == ["64M", "64M"]


def test_uploads_are_served_and_never_run() -> None:
    [section] = re.findall(rf"<Directory {UPLOADS}>(.*?)</Directory>", APACHE, re.DOTALL)
    assert "php_admin_flag engine off" in section
    [private] = re.findall(rf'<DirectoryMatch "\^{UPLOADS}/\((.*)\)\(/\|\$\)">\s+Require all denied', APACHE)
    assert {"woocommerce_uploads", "wc-logs", "woocommerce_transient_files"} <= set(private.split("|"))
    assert "AllowOverride None" in APACHE
    assert not re.search(r"AllowOverride (?!None)", APACHE)


def test_it_runs_as_who_the_pods_say() -> None:
    assert f"USER {pods.UID}:{pods.UID}\n" in DOCKERFILE
    assert f"chown {pods.UID}:{pods.UID} {UPLOADS};" in DOCKERFILE
    written = re.findall(r"^(?:PidFile|DefaultRuntimeDir) (\S+)", APACHE, re.MULTILINE)
    written += re.findall(r"^(?:upload_tmp_dir|sys_temp_dir|session.save_path|opcache.lockfile_path) = (\S+)$",
                          (IMAGE / "server" / "php.ini").read_text(), re.MULTILINE)  # fmt: skip
    assert len(written) == 6
    assert all(path.startswith(pods.TMP) for path in written)


def test_requests_in_flight_end() -> None:
    assert "STOPSIGNAL SIGWINCH\n" in DOCKERFILE
    assert re.search(r"^exec apache2 .* -D FOREGROUND$", RUN, re.MULTILINE)
    graceful_timeout = int(re.findall(r"^GracefulShutdownTimeout (\d+)$", APACHE, re.MULTILINE)[0])
    [grace] = [
        item["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        for item in render().resources
        if item["kind"] == "Deployment"
    ]
    assert int(container("web")["lifecycle"]["preStop"]["exec"]["command"][1]) + graceful_timeout < grace


def test_a_proof_token_is_long_enough_for_the_gate() -> None:
    [least] = re.findall(r"strlen\(\$token\) >= (\d+)", (IMAGE / "mu-plugin" / "proof.php").read_text())
    [field] = [field for field in ENGINE.secrets if field.name == "proof-token"]
    assert len(field.generate()) >= int(least)


def test_every_argument_has_a_default_and_none_is_the_latest() -> None:
    arguments = dict(re.findall(r"^ARG (\w+)=(.*)$", DOCKERFILE, re.MULTILINE))
    assert set(arguments) == set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))
    assert arguments.keys() == {"BASE", "WOOCOMMERCE_VERSION", "WOOCOMMERCE_SHA256", "WOOCOMMERCE_ZIP", "LANGUAGES"}
    assert re.fullmatch(r"docker\.io/library/wordpress:\d+\.\d+-php8\.\d-apache", arguments["BASE"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", arguments["WOOCOMMERCE_VERSION"])
    assert arguments["WOOCOMMERCE_SHA256"] == arguments["WOOCOMMERCE_ZIP"] == arguments["LANGUAGES"] == ""
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE}", "scratch"}


def test_what_it_copies_is_there() -> None:
    copied = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--from).*$", DOCKERFILE, re.MULTILINE)]
    sources = [name for names in copied for name in names]
    sources += re.findall(r"\$\{WOOCOMMERCE_ZIP:-(.*?)\}", DOCKERFILE)
    assert [name for name in sources if not name.startswith("$") and not (IMAGE / name).exists()] == []
    for file in ("run", "build/compile"):
        assert (IMAGE / file).stat().st_mode & 0o100, file


def test_the_image_can_be_built_from_debian_packages() -> None:
    read = definition.load_definition("woocommerce", {"WOOCOMMERCE_ZIP": IMAGE / "woocommerce-1.zip"})
    assert f"{profile().image_registry}/woocommerce:2026.11" == read.image.removeprefix("docker.io/")
    assert set(read.bases) == {"BASE"}
    assert set(read.files) == {"WOOCOMMERCE_ZIP"}
    base = tomllib.loads((IMAGE / "bases.toml").read_text())["BASE"]
    assert any("/usr/src/wordpress" in command for command in base["run"])


@pytest.mark.parametrize("file", STYLED_PHP, ids=lambda path: str(path.relative_to(IMAGE)))
def test_php_follows_the_style_of_the_project(file: Path) -> None:
    text = file.read_text()
    assert text.startswith("<?php\n/**"), "the file starts with a comment that describes it"
    assert "\ndeclare(strict_types=1);\n" in text
    assert text.endswith("\n")
    assert "\t" not in text
    assert text.count("\n") <= 300
    assert max(map(len, text.splitlines())) <= 120
    assert not text.rstrip().endswith("?>"), "text after the closing tag would be part of every page"


def test_php_can_be_read_by_php() -> None:
    if shutil.which("php") is None:
        pytest.skip("needs php: apt-get install php-cli (the build of the image reads every file, too)")
    for file in PHP:
        checked = subprocess.run(["php", "-l", str(file)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout


def test_each_known_cookie_has_one_pattern() -> None:
    """With two, a request with many such cookies and another one would take exponential time."""
    conf = (IMAGE / "server" / "page-cache.conf").read_text()
    [patterns] = re.findall(r"%\{HTTP_COOKIE\} \^\(\(([^)]*)\)=", conf.replace("_fb[pc]", "_fbp|_fbc"))
    for name in ("sbjs_first", "_ga", "_ga_X1", "_gat", "_gat_gtag_1", "_gid", "_gcl_au", "_fbp", "_fbc"):
        assert [bool(re.fullmatch(pattern, name)) for pattern in patterns.split("|")].count(True) == 1, name
