"""Definitions of images: read from their folders, refused when invalid, and hashed into a cache key."""

import re
from pathlib import Path

import pytest

from sandbox.data_folder import SandboxError
from sandbox.images import definition
from sandbox.images.definition import Base, ImageDefinition, image_names, load_definition

GOOD = 'image = "docker.io/storefleet/shop:1"\n[BASE]\nsuite = "trixie"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the definition of one image, `shop`."""
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "Dockerfile").write_text("ARG BASE=debian:trixie-slim\nFROM ${BASE}\nARG PLUGIN_ZIP=\nARG  EXTRA=1\n")
    (shop / "bases.toml").write_text(GOOD)
    (tmp_path / "no-image").mkdir()
    monkeypatch.setattr(definition, "IMAGES_DIR", tmp_path)
    return tmp_path


def key(*more: str, **files: Path) -> str:
    return load_definition("shop", files).key(*more)


@pytest.mark.parametrize("name", image_names())
def test_the_images_of_this_project_can_be_read(name: str) -> None:
    definition = load_definition(name)
    dockerfile = (definition.folder / "Dockerfile").read_text()
    for argument in definition.bases:
        assert re.search(rf"^ARG {argument}=\S+$", dockerfile, re.MULTILINE), "has no base to pull"
        assert re.search(rf"^FROM \$\{{{argument}\}}", dockerfile, re.MULTILINE)


def test_a_nodes_pause_image_is_the_one_that_containerd_asks_for() -> None:
    config = definition.IMAGES_DIR.parent / "sandbox" / "kubernetes" / "node" / "config" / "containerd.toml"
    assert f'sandbox = "{load_definition("pause").image}"' in config.read_text()


def test_a_definition_has_bases_files_and_arguments(folder: Path, tmp_path: Path) -> None:
    (folder / "shop" / "bases.toml").write_text(f'{GOOD}packages = ["php-cli", "g++"]\nrun = ["a && b\\nc"]\n')
    given = {"PLUGIN_ZIP": tmp_path / "plugin-1.2.zip", "OTHER": tmp_path / "other"}
    assert image_names() == ["shop"]
    assert load_definition("shop", given) == ImageDefinition(
        folder / "shop",
        "docker.io/storefleet/shop:1",
        {"BASE": Base("trixie", ("php-cli", "g++"), ("a && b\nc",))},
        {"PLUGIN_ZIP": tmp_path / "plugin-1.2.zip"},
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[BASE]\nsuite = "trixie"', "image must be the full name"),
        ("image = 1", "image must be the full name"),
        ('image = "storefleet/shop:1"', "image must be the full name"),
        ('image = "docker.io/storefleet/shop"', "image must be the full name"),
        ('image = "docker.io/a:1"\ncontext = "workers"', "context must be a list of files and folders"),
        ('image = "docker.io/a:1"\ncontext = ["../etc"]', "context must be a list of files and folders"),
        ('image = "docker.io/a:1"\ncontext = ["/etc"]', "context must be a list of files and folders"),
        ('image = "docker.io/a:1"\ncontext = ["none"]', "context: there is no none"),
        ('image = "docker.io/a:1"\nBASE = 1', r"\[BASE\] takes suite, packages and run"),
        (f"{GOOD}package = []", r"\[BASE\] takes suite, packages and run"),
        ('image = "docker.io/a:1"\n[BASE]', r"\[BASE\] needs a suite"),
        ('image = "docker.io/a:1"\n[BASE]\nsuite = "--help"', r"\[BASE\] needs a suite"),
        (f'{GOOD}packages = "php"', r"\[BASE\] packages must be a list of names"),
        (f'{GOOD}packages = ["php cli"]', r"\[BASE\] packages must be a list of names"),
        (f"{GOOD}run = [1]", r"\[BASE\] run must be a list of commands"),
        (f'{GOOD}run = [""]', r"\[BASE\] run must be a list of commands"),
        (f'{GOOD}[RUNTIME]\nsuite = "trixie"', "the Dockerfile has no `ARG RUNTIME`"),
        ("image =", "Invalid value"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: Path, text: str, problem: str) -> None:
    (folder / "shop" / "bases.toml").write_text(text)
    with pytest.raises(SandboxError, match=f"^images/shop/bases.toml: .*{problem}"):
        load_definition("shop")


def test_missing_files_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "shop" / "bases.toml").unlink()
    with pytest.raises(SandboxError, match=r"^images/shop/bases\.toml: No such file or directory$"):
        load_definition("shop")
    for name in ("no-image", "../shop"):
        with pytest.raises(SandboxError, match=f"^there is no image '{name}'; there are: shop$"):
            load_definition(name)
    monkeypatch.setattr(definition, "IMAGES_DIR", folder / "no-image")
    with pytest.raises(SandboxError, match="there are: none"):
        load_definition("shop")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["Dockerfile", "my plugin.zip", "$HOME"])
def test_a_file_that_would_change_the_folder_or_its_name_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match=r"^PLUGIN_ZIP=.*needs another, plain name$"):
        load_definition("shop", {"PLUGIN_ZIP": Path("/elsewhere", name)})


def test_the_same_image_has_the_same_key_everywhere(folder: Path) -> None:
    before = key()
    (folder / "shop" / "Dockerfile").chmod(0o660)  # by another umask
    (folder / "shop" / "__pycache__").mkdir()
    (folder / "shop" / "__pycache__" / "a.pyc").write_text("bytes")
    assert key() == before
    assert re.fullmatch("[0-9a-f]{16}", before)


def test_whatever_an_image_is_made_of_changes_its_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, other = folder / "shop" / "program", folder / "no-image" / "plugin.zip"
    seen = [key(), key("base-1.tar"), key("base-2.tar")]
    program.write_text("one")
    seen.append(key())
    program.write_text("two")
    seen.append(key())
    program.chmod(0o755)
    seen.append(key())
    program.rename(folder / "shop" / "another")
    seen.append(key())
    other.write_text("one")
    seen += [key(PLUGIN_ZIP=other), key(EXTRA=other)]
    other.write_text("two")
    seen.append(key(PLUGIN_ZIP=other))
    seen.append(key(PLUGIN_ZIP=other.rename(other.with_name("plugin-2.zip"))))
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    seen.append(key())
    assert len(set(seen)) == len(seen)


@pytest.mark.usefixtures("folder")
def test_a_file_that_isnt_there_is_named() -> None:
    with pytest.raises(SandboxError, match=r"^PLUGIN_ZIP=/none\.zip can't be read: No such file or directory$"):
        key(PLUGIN_ZIP=Path("/none.zip"))


def test_an_image_may_be_made_of_the_repositorys_files(folder: Path) -> None:
    package = folder.parent / f"{folder.name}-package"
    (package / "__pycache__").mkdir(parents=True)
    for name in ("module.py", "__pycache__/module.pyc"):
        (package / name).write_text("one")
    (folder / "shop" / "bases.toml").write_text(f'context = ["{package.name}"]\n{GOOD}')
    assert set(load_definition("shop").sources()) == {"Dockerfile", "bases.toml", f"{package.name}/module.py"}
    before = key()
    (package / "module.py").write_text("two")
    assert key() != before


@pytest.mark.parametrize("name", image_names())
def test_what_a_dockerfile_copies_is_in_its_context(name: str) -> None:
    definition = load_definition(name)
    lines = re.findall(r"^COPY (?!--from)(.*)$", (definition.folder / "Dockerfile").read_text(), re.MULTILINE)
    words = [word for line in lines for word in line.split()[:-1] if "$" not in word]
    names = set(definition.sources())
    for word in words:
        assert any(name == word or name.startswith(f"{word}/") for name in names), word


def test_whatever_a_base_is_made_of_changes_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [
        Base("trixie").key(),
        Base("trixie").key("--variant=minbase"),
        Base("forky").key(),
        Base("trixie", ("php",)).key(),
        Base("trixie", ("php", "apache2")).key(),
        Base("trixie", ("php",), ("true",)).key(),
    ]
    assert Base("trixie", ("php",)).key() == seen[3]
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    seen.append(Base("trixie").key())
    assert len(set(seen)) == len(seen)
