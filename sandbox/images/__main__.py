"""`python -m sandbox.images [NAME …]`: build images, from the command line."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.folder import SandboxError
from sandbox.images import recipe
from sandbox.images.build import build_images


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _file(word: str) -> tuple[str, Path]:
    argument, path = _argument(word)
    return argument, Path(path)


def _argument(word: str) -> tuple[str, str]:
    argument, _, value = word.partition("=")
    if not argument or not value:
        raise argparse.ArgumentTypeError(f"{word!r} isn't ARG=VALUE")
    return argument, value


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.images", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default all: {', '.join(recipe.names())}")
    parser.add_argument("--bases", choices=["registry", "debian"], default="registry", help="of base images")
    parser.add_argument("--archives", action="store_true", help="also export them, and print the archives' paths")
    parser.add_argument(
        "--file", dest="files", type=_file, action="append", default=[], metavar="ARG=PATH",
        help="a file for the build context of the images whose Dockerfile has that ARG, which gets the file's name",
    )  # fmt: skip
    parser.add_argument(
        "--argument", dest="arguments", type=_argument, action="append", default=[], metavar="ARG=VALUE",
        help="a build argument of the images whose Dockerfile has that ARG",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        made = build_images(
            options.names or recipe.names(),
            _say,
            options.bases,
            files=dict(options.files),
            arguments=dict(options.arguments),
            archives=options.archives,
        )
    except SandboxError as error:
        for line in str(error).splitlines():
            _say(f"images: {line}")
        return 1
    for archive in made:
        print(archive)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
