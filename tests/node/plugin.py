"""WooCommerce's plugin as a zip file: there is no Debian package. Without it the image has WordPress only."""

import os

import pytest

PLUGIN = os.environ.get("WOOCOMMERCE_ZIP")
"""The path of the file, or None."""
NEEDS_PLUGIN = pytest.mark.skipif(PLUGIN is None, reason="needs WOOCOMMERCE_ZIP=/path/to/woocommerce.zip")
