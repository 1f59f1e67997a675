"""Builds the images that stores run, on this machine: with a container builder, optionally from Debian packages."""

from sandbox.images.build import build_images

__all__ = ["build_images"]
