"""`make images` with fake builders: the commands they get, what is cached, and the message when one fails."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.data_folder import SandboxError
from sandbox.images import bases, definition
from sandbox.images.__main__ import main
from tests.support.fake_builders import Build, Builders, build, builders, images, progress

__all__ = ["build", "builders", "images", "progress"]

MADE_OF = "storefleet.dev/made-of"
BUILDAH = "buildah --root THERE/storage --runroot THERE/run --storage-driver overlay"
CHROOT = "--isolation chroot --ulimit nofile=20000"


def test_docker_pulls_the_bases_and_keeps_the_image(builders: Builders, build: Build, progress: list[str]) -> None:
    builders.add("docker", "podman", "buildah")
    assert build(bases="registry", archives=False) == []
    key = definition.load_definition("shop").key()
    assert builders.calls == [
        "docker info",
        'docker image inspect --format {{index .Config.Labels "storefleet.dev/made-of"}} docker.io/storefleet/shop:1',
        f"docker build --label storefleet.dev/made-of={key} --tag docker.io/storefleet/shop:1 THERE/shop-context",
    ]
    [context] = builders.contexts
    assert context["lib/start"] == ["0o755", "start shop"]
    assert context["Dockerfile"][0] == "0o644"
    assert builders.left == []

    assert build(bases="registry", archives=False) == []
    assert progress[-1].split() == ["shop", "docker.io/storefleet/shop:1:", "unchanged"]
    assert not any(call.startswith("docker build") for call in builders.calls)


def test_archives_of_docker_and_podman_have_the_full_name(builders: Builders, build: Build) -> None:
    builders.add("docker", "podman")
    [archive] = build(bases="registry")
    assert archive == builders.cache / f"shop-{definition.load_definition('shop').key()}.tar"
    assert archive.read_text() == "archive of docker.io/storefleet/shop:1"
    assert builders.calls[-1] == f"docker save --output {archive.name} docker.io/storefleet/shop:1"

    archive.unlink()
    builders.refuse(("docker info", "Cannot connect to the Docker daemon"))
    [archive] = build(bases="registry")
    assert archive.read_text() == "archive of docker.io/storefleet/shop:1"
    calls = builders.calls
    assert calls[-1] == (
        f"podman push docker.io/storefleet/shop:1 oci-archive:{archive.name}:docker.io/storefleet/shop:1"
    )
    assert not any(call.startswith("podman build") for call in calls), "it is there already"


def test_buildah_makes_archives_apart_in_a_store_that_ends_with_the_build(
    builders: Builders, build: Build, progress: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 20000))
    builders.add("docker", "buildah", "unshare", "mmdebstrap")
    builders.refuse(("docker info", "Cannot connect to the Docker daemon"))
    front, shop = build("front", "shop", archives=False)
    base = bases.base_archive(definition.load_definition("shop").bases["BASE"])
    assert sorted([base.name, front.name, shop.name]) == builders.left
    assert progress[0] == "Building with buildah."
    assert [line.partition("  ")[0] for line in progress[1:]] == ["front", "front", "front", "shop", "shop"]
    assert progress[1] == "front        building BASE from Debian packages"
    assert progress[4] == "shop         building the image"
    apart = "unshare --mount --pid --fork --kill-child --mount-proc --"
    image = f"localhost/storefleet-base:{base.stem.removeprefix('base-')}"
    calls = builders.calls
    assert [call for call in calls if not call.startswith("unshare") and "--customize-hook" not in call] == [
        "docker info",
        f"{BUILDAH} info",
        f"{BUILDAH} build {CHROOT} --label {MADE_OF}={base.stem} --tag {image} THERE/{base.stem}",
        *(
            call
            for archive in (front, shop)
            for name in [archive.name.partition("-")[0]]
            for full in [f"docker.io/storefleet/{name}:1"]
            for call in (
                f"{BUILDAH} build {CHROOT} --build-arg BASE={image} --label {MADE_OF}="
                f"{archive.stem.rpartition('-')[2]} --tag {full} THERE/{name}-context",
                f"{BUILDAH} push {full} oci-archive:{archive.name}:{full}",
            )
        ),
    ]
    assert [call for call in calls if call.startswith("unshare")] == [
        f"{apart} {call}" for call in calls if call.startswith(("buildah", "mmdebstrap"))
    ]
    assert builders.contexts[0] == {
        "Dockerfile": ["0o644", "FROM scratch\nADD root.tar /\n"],
        "root.tar": ["0o644", "a root file system"],
    }

    assert build("shop", "front") == [shop, front]
    assert progress[1].endswith("docker.io/storefleet/shop:1: unchanged, 0.0 MB")
    assert builders.calls[1:] == [f"{apart} {BUILDAH} info", f"{BUILDAH} info"]


def test_where_overlays_cant_be_mounted_buildah_copies(builders: Builders, build: Build) -> None:
    builders.add("buildah", "unshare", "mmdebstrap")
    builders.refuse(("storage-driver overlay", "Error: overlay is not supported"))
    build()
    assert builders.calls[-1].startswith("buildah --root THERE/storage --runroot THERE/run --storage-driver vfs push")


def test_a_base_in_the_builders_own_store_isnt_imported_again(builders: Builders, build: Build, images: Path) -> None:
    builders.add("podman", "unshare", "mmdebstrap")
    build()
    (images / "shop" / "lib" / "start").write_text("another")
    assert len(builders.contexts) == 2
    build()
    assert len(builders.contexts) == 3


def test_a_base_is_made_from_this_machines_own_mirror(builders: Builders, build: Build, images: Path) -> None:
    toml = images / "shop" / "bases.toml"
    toml.write_text(toml.read_text() + """run = ["echo 'a b'", "true"]\n""")
    builders.add("buildah", "unshare", "mmdebstrap", "apt-get")
    (builders.bin / "sources").write_text(
        "Docker Docker CE http://docker.test\nDebian Debian http://mirror.test/debian\n"
        "Debian Debian http://second.test/debian\nDebian Debian-Security http://mirror.test/security"
    )
    build()
    [call] = [call for call in builders.calls if call.startswith("mmdebstrap")]
    assert "--include=php,apache2" in call
    assert (
        """--customize-hook=chroot "$1" sh -euc 'echo '"'"'a b'"'"'' --customize-hook=chroot "$1" sh -euc true"""
        in call
    )
    assert call.endswith(
        f" trixie {bases.base_archive(definition.load_definition('shop').bases['BASE']).name}"
        " deb http://mirror.test/debian trixie main deb http://mirror.test/debian trixie-updates main"
        " deb http://mirror.test/security trixie-security main"
    )
    (builders.bin / "sources").write_text("Debian Debian http://mirror.test/debian")
    assert len(bases.apt_sources("trixie")) == 2
    (builders.bin / "sources").write_text("Ubuntu Ubuntu http://mirror.test/ubuntu\n")
    assert bases.apt_sources("trixie") == []
    builders.refuse(("apt-get", "E: no"))
    assert bases.apt_sources("trixie") == []


def test_a_base_may_have_no_packages_of_its_own(builders: Builders, build: Build, images: Path) -> None:
    toml = images / "shop" / "bases.toml"
    toml.write_text(toml.read_text().partition("packages")[0])
    builders.add("buildah", "unshare", "mmdebstrap")
    build()
    assert "--include" not in "".join(builders.calls)


def test_files_from_elsewhere_are_in_the_context_by_their_names(
    builders: Builders, build: Build, images: Path, tmp_path: Path
) -> None:
    builders.add("docker")
    plugin = tmp_path / "plugin-1.2.zip"
    plugin.write_text("bytes")
    with (images / "shop" / "Dockerfile").open("a") as file:
        file.write("ARG PLUGIN_ZIP=\n")
    build("front", "shop", bases="registry", files={"PLUGIN_ZIP": plugin})
    front, shop = builders.contexts
    assert (shop["plugin-1.2.zip"][1], "plugin-1.2.zip" in front) == ("bytes", False)
    built = [call for call in builders.calls if call.startswith("docker build")]
    assert ["--build-arg PLUGIN_ZIP=plugin-1.2.zip" in call for call in built] == [False, True]
    with pytest.raises(SandboxError, match=r"^PLUGIN=/a\.zip: none of these images has `ARG PLUGIN`$"):
        build("front", "shop", files={"PLUGIN": Path("/a.zip")})


def test_a_build_that_downloads_gets_this_machines_certificates(
    builders: Builders, build: Build, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders.add("docker")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ca.pem")
    with (images / "shop" / "Dockerfile").open("a") as file:
        file.write("RUN --mount=type=secret,id=ca true\n")
    build("front", "shop", bases="registry", archives=False)
    monkeypatch.delenv("SSL_CERT_FILE")
    with (images / "shop" / "Dockerfile").open("a") as file:
        file.write("USER 1\n")
    build("shop", bases="registry", archives=False)
    built = [call for call in builders.calls if call.startswith("docker build")]
    assert ["--secret id=ca,src=/etc/ca.pem" in call for call in built] == [False, True, False]


def test_other_build_arguments_make_another_image(builders: Builders, build: Build, images: Path) -> None:
    builders.add("docker")
    with (images / "shop" / "Dockerfile").open("a") as file:
        file.write("ARG PLUGIN_VERSION=1\n")
    made = [build("front", "shop", bases="registry")]
    made.append(build("front", "shop", bases="registry", arguments={"PLUGIN_VERSION": "none"}))
    assert [one == other for one, other in zip(*made, strict=True)] == [True, False]
    built = [call for call in builders.calls if call.startswith("docker build")]
    assert ["--build-arg PLUGIN_VERSION=none" in call for call in built] == [False, False, True]
    with pytest.raises(SandboxError, match=r"^PLUGIN=none: none of these images has `ARG PLUGIN`$"):
        build("front", "shop", arguments={"PLUGIN": "none"})


@pytest.fixture
def restore_sigterm() -> Iterator[None]:
    """The command installs its own handler of SIGTERM; restore the test process's."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("restore_sigterm")
def test_the_command_prints_the_archives(builders: Builders, capsys: pytest.CaptureFixture[str]) -> None:
    builders.add("docker")
    assert main(["--archives"]) == 0
    out, stderr = capsys.readouterr()
    assert [Path(line).name.partition("-")[0] for line in out.splitlines()] == ["front", "shop"]
    assert stderr.splitlines()[0] == "Building with docker."
    assert main(["front"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("restore_sigterm")
def test_the_command_says_each_failure_on_a_line(builders: Builders, capsys: pytest.CaptureFixture[str]) -> None:
    builders.add("docker")
    builders.refuse(("docker build", "Error: no"))
    assert main(["front", "shop"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" failed")[0] for line in lines if "failed" in line] == [
        "images: front: docker",
        "images: shop: docker",
    ]
    assert main(["none"]) == 1
    assert capsys.readouterr().err == "images: there is no image 'none'; there are: front, shop\n"


@pytest.mark.parametrize("word", ["PLUGIN_ZIP", "PLUGIN_ZIP=", "=plugin.zip"])
def test_a_file_without_its_argument_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--file", word])
    assert f"{word!r} isn't ARG=VALUE" in capsys.readouterr().err


def test_a_file_is_given_to_the_image_that_asks_for_it(
    builders: Builders, images: Path, tmp_path: Path, restore_sigterm: None
) -> None:
    builders.add("docker")
    (tmp_path / "plugin.zip").write_text("bytes")
    (images / "shop" / "Dockerfile").write_text("ARG BASE\nARG PLUGIN_ZIP\n")
    assert main(["shop", "--file", f"PLUGIN_ZIP={tmp_path}/plugin.zip"]) == 0
    assert builders.contexts[0]["plugin.zip"][1] == "bytes"
