"""`python -m sandbox.images [NAME …]`: build images, from the command line."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.images import definition
from sandbox.images.build import build_images


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _file_argument(text: str) -> tuple[str, Path]:
    argument, path = _build_argument(text)
    return argument, Path(path)


def _build_argument(text: str) -> tuple[str, str]:
    argument, _, value = text.partition("=")
    if not argument or not value:
        raise argparse.ArgumentTypeError(f"{text!r} isn't ARG=VALUE")
    return argument, value


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.images", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"default: all of them: {', '.join(definition.image_names())}"
    )
    parser.add_argument(
        "--bases", choices=["registry", "debian"], default="registry", help="where base images come from"
    )
    parser.add_argument(
        "--archives", action="store_true", help="also export the images as archives, and print their paths"
    )
    parser.add_argument(
        "--file", dest="files", type=_file_argument, action="append", default=[], metavar="ARG=PATH",
        help="copy a file into the build context of images whose Dockerfile has this ARG; its value is the file's name",
    )  # fmt: skip
    parser.add_argument(
        "--argument", dest="arguments", type=_build_argument, action="append", default=[], metavar="ARG=VALUE",
        help="a build argument for the images whose Dockerfile has this ARG",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        archives = build_images(
            options.names or definition.image_names(),
            _report,
            options.bases,
            files=dict(options.files),
            arguments=dict(options.arguments),
            archives=options.archives,
        )
    except SandboxError as error:
        for line in str(error).splitlines():
            _report(f"images: {line}")
        return 1
    for archive in archives:
        print(archive)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
