"""The images that stores run, built on this machine: with a container builder, and from Debian packages if need be."""

from sandbox.images.build import build_images

__all__ = ["build_images"]
