"""Shops whose owners install plugins and themes: installation, updates, outbound requests, mail."""

import html
import re
import signal
from pathlib import Path

import pytest

from tests.node.containers import Container
from tests.node.mailbox import PORT, mailbox
from tests.node.plugin import NEEDS_PLUGIN
from tests.node.resolver import resolver
from tests.node.shoppers import ShoppingSession, create_open_store, credentials, send_request, sign_in
from tests.node.shops import HOST, Mounts, Shop
from tests.node.stores import is_replaced, pods
from tests.node.wordpress import (
    CUSTOM_PLUGINS,
    STYLE,
    TOKEN,
    admin,
    php,
    request_password_reset,
    zip_file,
)
from tests.support.harness import Harness
from tests.support.stores import run_cron_job
from tests.support.waiting import wait_until
from workers.engines.woocommerce import CONTENT

RIPE = "<?php\n/* Plugin Name: Fig\nVersion: {0} */\nadd_action('send_headers', fn () => header('X-Fig: ripe {0}'));\n"
THEME = {"olive/style.css": STYLE, "olive/templates/index.html": "<!-- wp:paragraph --><p>Olives!</p>"}
OFFERS = """
$kinds = ['update_plugins', 'update_themes'];
foreach ($kinds as $kind) {
    [$ours, $theirs] = $kind === 'update_themes' ? [get_stylesheet(), 'olive'] : ['woocommerce/x.php', 'fig/fig.php'];
    $language = fn ($name) => ['slug' => strtok($name, '/'), 'language' => 'ar'];
    set_site_transient($kind, (object) [
        'response' => [$ours => ['new_version' => '99'], $theirs => ['new_version' => '99']],
        'translations' => [$language($ours), $language($theirs)],
    ]);
}
$folder = WP_CONTENT_DIR . '/plugins/woocommerce';
is_link($folder) || symlink('/var/www/html/wp-content/plugins/woocommerce', $folder);
is_dir($languages = WP_CONTENT_DIR . '/languages/plugins') || mkdir($languages);
is_link($file = "$languages/woocommerce-ar.mo") || symlink('/var/www/html/wp-content/x.mo', $file);
"""
SENDS = f"""<?php
/* Plugin Name: Relay */
add_action('phpmailer_init', function ($mailer) {{
    $mailer->isSMTP();
    [$mailer->Host, $mailer->Port, $mailer->SMTPAuth, $mailer->SMTPSecure] = ['relay.mail.svc', {PORT}, false, ''];
}});
"""
TELL = "<?php\n/* Plugin Name: Tell */\nadd_action('init', fn () => wp_remote_post('https://fulfilment.example/'));\n"
CORE = """
require_once ABSPATH . 'wp-admin/includes/admin.php';
$newer = (object) ['response' => 'upgrade', 'current' => '99.0', 'locale' => 'en_US'];
set_site_transient('update_core', (object) ['updates' => [$newer], 'last_checked' => time(), 'version_checked' => '6']);
"""
PLUGINS = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"


def form(fields: dict[str, str], name: str, file: bytes) -> tuple[bytes, str]:
    """A multipart form: its body and Content-Type."""
    mark = "figs-and-olives"
    lines = [f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}' for key, text in fields.items()]
    lines.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="fig.zip"\r\n\r\n')
    return "\r\n".join(lines).encode() + file + f"\r\n--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def nonce(page: str) -> str:
    return str(re.findall(r'name="_wpnonce" value="(\w+)"', page)[0])


def link(page: str, action: str) -> str:
    """The URL of the link with that action, below /wp-admin/."""
    [found] = set(re.findall(rf'href="([^"]*\?action={action}&[^"]*)"', page))
    return html.unescape(found).rpartition("/wp-admin/")[2]


def upload(server: Container, owner: dict[str, str], kind: str, files: dict[str, str]) -> str:
    """Uploads a zip file of a plugin or theme in the dashboard. Returns the page."""
    page = server.request(f"/wp-admin/{kind}-install.php?tab=upload", **owner)[2]
    body, what = form({"_wpnonce": nonce(page)}, f"{kind}zip", zip_file(files))
    path = f"/wp-admin/update.php?action=upload-{kind}"
    # http.client takes text for Latin-1, so each byte arrives as it is
    status, _, page = server.request(path, "POST", body.decode("latin-1"), Content_Type=what, **owner)
    assert status == 200
    return page


def test_what_an_owner_installs_stays(shop: Shop, content: Mounts) -> None:
    server = shop.serve(CUSTOM_PLUGINS, content)
    owner = admin(server)
    installed = upload(
        server, owner, "plugin", {"fig/fig.php": RIPE.format(1), "fig/fig.css": "p {}", "fig/fig.js": "1"}
    )
    assert "Plugin installed successfully" in installed
    server.request(f"/wp-admin/{link(installed, 'activate')}", **owner)
    assert server.request("/", Host=HOST)[1]["X-Fig"] == "ripe 1"
    for file, text in (("fig.css", "p {}"), ("fig.js", "1")):
        assert server.request(f"/wp-content/plugins/fig/{file}", Host=HOST)[::2] == (200, text)

    again = upload(server, owner, "plugin", {"fig/fig.php": RIPE.format(2)})
    server.request(f"/wp-admin/{link(again, 'upload-plugin')}", **owner)
    assert (content[CONTENT] / "plugins/fig/fig.php").read_text() == RIPE.format(2)
    installed = upload(server, owner, "theme", THEME)
    assert "Theme installed successfully" in installed
    server.request(f"/wp-admin/{link(installed, 'activate')}", **owner)
    server.stop(signal.SIGKILL)

    server = shop.serve(CUSTOM_PLUGINS, content)
    status, headers, page = server.request("/?p=0", Host=HOST)
    assert (status, headers["X-Fig"], "Olives!" in page) == (200, "ripe 2", True)
    assert server.request("/wp-content/themes/olive/style.css", Host=HOST)[::2] == (200, STYLE)
    server.stop(signal.SIGKILL)

    # on a plan without: the shop is itself again, by the theme of its image
    server = shop.serve()
    status, headers, page = server.request("/?p=0", Host=HOST)
    assert (status, "X-Fig" in headers, "wp-site-blocks" in page, "Olives!" in page) == (200, False, True, False)
    assert php(server, "wp_get_theme()->exists()") is True
    assert shop.sql("SELECT option_value FROM wp_options WHERE option_name = 'stylesheet'") == [("olive",)]
    server.stop(signal.SIGKILL)
    assert "Olives!" in shop.serve(CUSTOM_PLUGINS, content).request("/?p=0", Host=HOST)[2]


def test_updates_are_offered_of_what_is_theirs(shop: Shop, content: Mounts) -> None:
    server = shop.serve(CUSTOM_PLUGINS, content)
    theme = php(server, "get_stylesheet()")
    translations = content[CONTENT] / "languages" / "themes"
    translations.mkdir(exist_ok=True)
    (translations / f"{theme}-ar.mo").symlink_to(f"/var/www/html/wp-content/languages/themes/{theme}-ar.mo")
    offered = "fn ($kind) => [array_keys($kind->response), array_column($kind->translations, 'slug')]"
    assert php(server, f"array_map({offered}, array_map('get_site_transient', $kinds))", OFFERS) == [
        [["fig/fig.php"], ["fig"]],
        [["olive"], ["olive"]],
    ]


def test_updates_of_wordpress_are_not_offered(shop: Shop, content: Mounts) -> None:
    server = shop.serve(CUSTOM_PLUGINS, content)
    assert php(server, "count(get_core_updates())", CORE) == 0


def test_woocommerce_installs_by_rest(shop: Shop, content: Mounts, name_server: Mounts, tmp_path: Path) -> None:
    server = shop.serve(CUSTOM_PLUGINS, {**content, **name_server})
    owner = admin(server)
    nonce = server.request("/wp-admin/admin-ajax.php?action=rest-nonce", **owner)[2]
    wanted = {**owner, "Content_Type": "application/json"}
    with resolver(server, tmp_path) as asked:
        assert server.request("/?rest_route=/wp/v2/plugins", "POST", '{"slug": "fig"}', **wanted)[0] == 401
        assert asked.names == set()
        server.request("/?rest_route=/wp/v2/plugins", "POST", '{"slug": "fig"}', **wanted, X_WP_Nonce=nonce)
        assert asked.names == {"api.wordpress.org"}


def test_a_proof_sends_no_request_to_other_systems(
    shop: Shop, content: Mounts, name_server: Mounts, tmp_path: Path
) -> None:
    server = shop.serve({**TOKEN, **CUSTOM_PLUGINS}, {**content, **name_server})
    (content[CONTENT] / "plugins" / "tell.php").write_text(TELL)
    assert php(server, "is_wp_error(activate_plugin('tell.php'))", PLUGINS) is False
    with resolver(server, tmp_path) as asked:
        assert server.request("/", "POST", "", Host=HOST, X_Storefleet_Proof=TOKEN["STORE_PROOF_TOKEN"])[0] == 200
        assert asked.names == set()
        assert server.request("/", "POST", "", Host=HOST)[0] == 200
        assert asked.names == {"fulfilment.example"}


@pytest.mark.parametrize("url", [None, "smtp://nobody.mail.svc:25?from=platform@example.com"])
def test_a_plugin_knows_the_owner_s_own_mail_server(
    shop: Shop, content: Mounts, hosts: Mounts, tmp_path: Path, url: str | None
) -> None:
    server = shop.serve({**CUSTOM_PLUGINS, **({"STORE_SMTP_URL": url} if url else {})}, {**content, **hosts})
    (content[CONTENT] / "plugins" / "relay.php").write_text(SENDS)
    assert request_password_reset(server) == 200
    assert "A mail was not sent: " in server.log
    assert php(server, "is_wp_error(activate_plugin('relay.php'))", PLUGINS) is False
    with mailbox(server, tmp_path) as box:
        assert request_password_reset(server) == 302
    assert [("To: owner@example.com" in mail.text, mail.sender) for mail in box.mails] == [
        (True, "wordpress@fig.localhost")
    ]


@NEEDS_PLUGIN
@pytest.mark.parametrize("changes", [{"plugins": ("medium",)}], indirect=True)
async def test_an_owner_installs_a_plugin_and_the_shop_sells(harness: Harness) -> None:
    """On the node, with the store's volume, through the ingress, with the owner's password."""
    store, namespace = await create_open_store(harness, plan="MEDIUM")
    session = await sign_in(harness, store, *await credentials(harness, store))
    owner = {"Cookie": f"{session}"}
    page = (await send_request(harness, store, "GET", "/wp-admin/plugin-install.php?tab=upload", headers=owner))[2]
    body, what = form({"_wpnonce": nonce(page)}, "pluginzip", zip_file({"fig/fig.php": RIPE.format(1)}))
    path = "/wp-admin/update.php?action=upload-plugin"
    page = (await send_request(harness, store, "POST", path, data=body, headers=owner | {"Content-Type": what}))[2]
    await send_request(harness, store, "GET", f"/wp-admin/{link(page, 'activate')}", headers=owner)

    async def is_ripe() -> bool:
        return bool((await send_request(harness, store, "GET", "/"))[1].get("X-Fig") == "ripe 1")

    assert await is_ripe()
    shop = ShoppingSession(harness, store)
    await shop.buy()
    pod = (await pods(harness, namespace))["web"]["metadata"]
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod['name']}")
    await wait_until(is_replaced(harness, namespace, "web", pod["uid"]))
    await wait_until(is_ripe)
    await shop.buy()
    await run_cron_job(harness, namespace)
