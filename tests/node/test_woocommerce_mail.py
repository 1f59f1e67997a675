"""Mail of a shop: sent by the platform's server to owner and shoppers; proofs send none."""

import json
from pathlib import Path

import pytest

from tests.node.mailbox import PORT, mailbox
from tests.node.plugin import NEEDS_PLUGIN, PLUGIN
from tests.node.shoppers import BILLING_ADDRESS
from tests.node.shops import HOST, INSTALL, WORDPRESS, Mounts, Shops
from tests.node.wordpress import TOKEN, buy, request_password_reset

INSTALL_COMMAND = INSTALL if PLUGIN else WORDPRESS
RELAY = f"relay.mail.svc:{PORT}"


def test_mail_goes_by_the_platforms_server(new_shop: Shops, hosts: Mounts, tmp_path: Path) -> None:
    shop = new_shop().install(INSTALL_COMMAND)
    url = f"smtp://me%40example.com:p%3Ass@{RELAY}?from=shop%2B1@example.com"
    server = shop.serve({"STORE_SMTP_URL": url}, hosts)
    with mailbox(server, tmp_path) as box:
        assert request_password_reset(server) == 302
    [mail] = box.mails
    assert (mail.who, mail.sender) == (["me@example.com", "p:ss"], "shop+1@example.com")
    assert [sign for sign in ("<shop+1@example.com>", "To: owner@example.com") if sign not in mail.text] == []
    assert f"http://{HOST}/wp-login.php?" in mail.text.replace("=\r\n", "").replace("=3D", "=")


@pytest.mark.parametrize(
    ("url", "does"),
    [
        (None, "serve"),
        (f"smtp://127.0.0.1:{PORT}", "serve"),  # outside the cluster and without TLS
        (f"smtps://127.0.0.1:{PORT}", "serve"),
        (f"smtp://{RELAY}", "silence"),
        ("smtp://relay.mail.svc:9", "serve"),
    ],
)
def test_a_mail_that_is_not_sent_is_told(
    new_shop: Shops, hosts: Mounts, tmp_path: Path, url: str | None, does: str
) -> None:
    shop = new_shop().install(INSTALL_COMMAND)
    server = shop.serve({"STORE_SMTP_URL": url} if url else {}, hosts)
    with mailbox(server, tmp_path, does) as box:
        assert request_password_reset(server) == 200
        assert box.mails == []
    if url is None:  # and the page says so
        form = {"Host": HOST, "Content_Type": "application/x-www-form-urlencoded"}
        page = server.request("/wp-login.php?action=lostpassword", "POST", "user_login=admin", **form)[2]
        assert "so it can't send a link for a new password" in page.replace("&#039;", "'")


@NEEDS_PLUGIN
def test_an_order_sends_mail_and_a_proof_none(new_shop: Shops, hosts: Mounts, tmp_path: Path) -> None:
    shop = new_shop().install(INSTALL)
    server = shop.serve({**TOKEN, "STORE_SMTP_URL": f"smtp://{RELAY}"}, hosts)
    with mailbox(server, tmp_path) as box:
        code, last = shop.run(("/opt/storefleet/run", "prove"), {**TOKEN, "STORE_SERVICE": "http://127.0.0.1:8080"})
        assert (code, json.loads(last)["simulated"], box.mails) == (0, False, [])
        buy(server)
    recipients = sorted(line for mail in box.mails for line in mail.text.splitlines() if line.startswith("To: "))
    assert recipients == [f"To: {BILLING_ADDRESS['email']}", "To: owner@example.com"]


@NEEDS_PLUGIN
def test_an_order_is_taken_while_the_mail_server_is_silent(new_shop: Shops, hosts: Mounts, tmp_path: Path) -> None:
    server = new_shop().install(INSTALL).serve({"STORE_SMTP_URL": f"smtp://{RELAY}"}, hosts)
    with mailbox(server, tmp_path, "silence"):
        buy(server)
