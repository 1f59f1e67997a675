"""Builds the images of stores and of the platform here: with a container builder, optionally from Debian packages."""

from sandbox.images.build import build_images

__all__ = ["build_images"]
