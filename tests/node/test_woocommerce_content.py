"""WP_CONTENT_DIR on a volume, for owners who may install plugins: links to the image, and what is served."""

import os
import signal
from pathlib import Path

from tests.node.plugin import PLUGIN
from tests.node.shops import HOST, MU_PLUGINS, Mounts, Shop, wait_for_response
from tests.node.wordpress import CUSTOM_PLUGINS, STYLE, php
from workers.engines.woocommerce import CONTENT

BACK = "<?php require dirname(__FILE__) . '/../../../wp-load.php'; echo get_option('blogname');"
LISTED = "SELECT option_value FROM wp_options WHERE option_name = 'active_plugins'"
TITLE = "SELECT option_value FROM wp_options WHERE option_name = 'blogname'"
RUN = "<?php echo 'r' . 'un';"


def test_what_the_platform_put_there_is_not_theirs_to_change(shop: Shop, content: Mounts) -> None:
    server = shop.serve(CUSTOM_PLUGINS, content)
    theme = php(server, "get_stylesheet()")
    links = {path: os.readlink(path) for path in content[CONTENT].rglob("*") if path.is_symlink()}
    names = {str(path.relative_to(content[CONTENT])): target for path, target in links.items()}
    assert {"index.php", f"themes/{theme}", "languages/ar.mo"} < set(names)
    assert ("plugins/woocommerce" in names) == (PLUGIN is not None)
    assert names == {name: f"/var/www/html/wp-content/{name}" for name in names}
    assert server.request(f"/wp-content/themes/{theme}/style.css", Host=HOST)[0] == 200

    first = "require_once ABSPATH . 'wp-admin/includes/admin.php'; wp_set_current_user(1); WP_Filesystem();"
    assert php(server, f"delete_theme('{theme}') === true", first) is False
    if PLUGIN:
        assert php(server, "delete_plugins(['woocommerce/woocommerce.php']) === true", first) is False
    assert php(server, "@file_put_contents(WP_CONTENT_DIR . '/languages/ar.mo', 'x')", first) is False
    assert {path: os.readlink(path) for path in links} == links
    assert wait_for_response(server, "/", 200)
    assert php(server, MU_PLUGINS, first) == ["storefleet.php"]


def test_what_lies_on_the_disk_under_the_same_name_stays(shop: Shop, content: Mounts) -> None:
    theirs = content[CONTENT] / "languages" / "ar.mo"
    theirs.parent.mkdir()
    theirs.write_text("theirs")
    for path in (theirs.parent, theirs):
        os.chown(path, 10001, 10001)
    for _ in range(2):
        shop.serve(CUSTOM_PLUGINS, content).stop(signal.SIGKILL)
        assert theirs.read_text() == "theirs"
        assert (content[CONTENT] / "themes").is_dir()


def test_several_programs_may_begin_at_once(shop: Shop, content: Mounts) -> None:
    begun = [shop.start(("/opt/storefleet/run", "cron"), CUSTOM_PLUGINS, content) for _ in range(4)]
    assert [program.wait() for program in begun] == [0] * 4
    assert (content[CONTENT] / "themes").is_dir()


def test_a_broken_plugin_does_not_block_rotation_or_upgrade(shop: Shop, content: Mounts) -> None:
    shop.serve(CUSTOM_PLUGINS, content).stop(signal.SIGKILL)
    plugin, theme = content[CONTENT] / "plugins" / "fig.php", content[CONTENT] / "themes" / "olive"
    theme.mkdir()
    (theme / "style.css").write_text(STYLE)
    for file in (plugin, theme / "functions.php"):
        file.write_text("<?php throw new Error('broken');")
    active = ["fig.php", *(["woocommerce/woocommerce.php"] if PLUGIN else [])]
    listed = "".join(f'i:{at};s:{len(name)}:"{name}";' for at, name in enumerate(active))
    shop.set_options({"stylesheet": "olive", "template": "olive", "active_plugins": f"a:{len(active)}:{{{listed}}}"})
    assert shop.serve(CUSTOM_PLUGINS, content).request("/", Host=HOST)[0] == 500
    done = {"rotate": "password changed", **({"install": "nothing to install"} if PLUGIN else {})}
    for program, reason in done.items():
        more = {"STORE_ADMIN_PASSWORD": "another", **CUSTOM_PLUGINS}
        code, last = shop.run(("/opt/storefleet/run", program), more, content)
        assert (code, reason in last) == (0, True), last
    assert [listed in value for [value] in shop.sql(LISTED)] == [True]


def test_a_theme_is_no_file_that_was_uploaded(shop: Shop, content: Mounts) -> None:
    theme = shop.uploads / "olive"
    theme.mkdir()
    for name, text in (("style.css", STYLE), ("functions.php", RUN), ("index.php", RUN)):
        (theme / name).write_text(text)
    shop.set_options({"stylesheet": "../uploads/olive", "template": "../uploads/olive"})
    for env, mounts in ((None, None), (CUSTOM_PLUGINS, content)):
        server = shop.serve(env, mounts)
        status, _, page = server.request("/?p=0", Host=HOST)
        assert (status, page.startswith("run"), "wp-site-blocks" in page) == (200, False, True)
        server.stop(signal.SIGKILL)


def test_places_that_plugins_look_for(shop: Shop, content: Mounts) -> None:
    server = shop.serve(CUSTOM_PLUGINS, content)
    (content[CONTENT] / "plugins" / "fig").mkdir()
    (content[CONTENT] / "plugins" / "fig" / "back.php").write_text(BACK)
    assert server.request("/wp-content/plugins/fig/back.php", Host=HOST)[::2] == (200, shop.sql(TITLE)[0][0])
    (shop.uploads / "fig.txt").write_text("figs")
    assert php(server, "file_get_contents(WP_CONTENT_DIR . '/uploads/fig.txt')") == "figs"
    assert list((content[CONTENT] / "uploads").iterdir()) == []  # a mount point of the pods
    for folder, status in (("cache", 200), ("backups", 404), ("upgrade", 404)):
        (content[CONTENT] / folder).mkdir()
        (content[CONTENT] / folder / "fig.txt").write_text("figs")
        assert server.request(f"/wp-content/{folder}/fig.txt", Host=HOST)[0] == status


def test_without_its_disk_it_says_so(shop: Shop, tmp_path: Path) -> None:
    for mounts in ({}, {CONTENT: tmp_path}):  # none, and one that isn't its own
        code, last = shop.run(("/opt/storefleet/run", "cron"), CUSTOM_PLUGINS, mounts)
        assert code == 1
        assert last.endswith("is the disk for plugins mounted, with space left, and writable?")


def test_uploads_are_never_run(shop: Shop, content: Mounts) -> None:
    server = shop.serve(CUSTOM_PLUGINS, content)
    for folder in (shop.uploads, shop.uploads / ".content" / "plugins"):
        (folder / "fig.php").write_text(RUN)
        (folder / "fig.txt").write_text("figs")
    found = "/wp-content/plugins/fig.php", "/wp-content/uploads/fig.txt"
    assert [server.request(path, Host=HOST)[2] for path in found] == ["run", "figs"]
    for path in (
        "/wp-content/uploads/fig.php",
        "/wp-content//uploads/fig.php",
        "/wp-content/%75ploads/fig.php",
        "/wp-content/./uploads/fig.php",
        "/wp-content/plugins/../uploads/fig.php",
        "//wp-content/uploads//fig.php",
        "/wp-content/uploads/.content/plugins/fig.php",
        "/wp-content/uploads/%2econtent/plugins/fig.php",
        "/wp-content/uploads//.content/plugins/fig.txt",
    ):
        status, _, text = server.request(path, Host=HOST)
        assert (status, text == "run", "figs" in text) in ((403, False, False), (404, False, False)), path
    assert php(server, "wp_upload_dir()['basedir']") == "/var/www/html/wp-content/uploads"
