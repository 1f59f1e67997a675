"""The files of a MedusaJS shop: what the owner uploads, and Medusa's exports, all served below /static."""

import http.client
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from stores.plans import parse_quantity
from tests.node.containers import Container
from tests.node.medusa_owners import Client
from tests.node.medusa_shops import MedusaShops
from tests.node.page_visits import enter_network
from tests.node.shops import HOST
from tests.support.rendered import environment, get_object, render, template
from tests.support.waiting import eventually
from workers.engines.medusa import ENGINE

EXPORT = r"private-\d+-[0-9a-f]{32}-\d+-order-exports\.csv"
MAX_BYTES = 16 * 2**20
MARGIN = 1000
"""More than the parts of a form beside its file."""


def upload(owner: Client, name: str, content: bytes, *, chunked: bool = False) -> tuple[int, str]:
    """Status and body of the answer."""
    head = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--b--\r\n"
    headers = {"Host": HOST, "Content-Type": "multipart/form-data; boundary=b", "Cookie": owner.headers["Cookie"]}

    def send() -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", 8080, timeout=120)) as connection:
            connection.request("POST", "/admin/uploads", iter([body]) if chunked else body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    with ThreadPoolExecutor(1, initializer=enter_network, initargs=(owner.web.network,)) as pool:
        return pool.submit(send).result()


def test_an_uploaded_file_runs_no_script(new_medusa_shop: MedusaShops) -> None:
    owner = Client(new_medusa_shop().install().serve())
    owner.open_session(owner.sign_in())
    for name in ("olive.html", "olive.svg", "olive.png"):
        status, text = upload(owner, name, b"<script>")
        assert status == 200, text
        [file] = json.loads(text)["files"]
        status, headers, text = Client(owner.web).send("/static/" + file["url"].rpartition("/")[2])
        assert (status, text) == (200, "<script>")
        assert headers["Content-Security-Policy"].split("; ")[:2] == ["sandbox", "default-src 'none'"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_nobody_guesses_the_address_of_an_export(new_medusa_shop: MedusaShops) -> None:
    """It has the names and addresses of customers."""
    shop = new_medusa_shop().install()
    owner = Client(shop.serve())
    owner.open_session(owner.sign_in())
    status, _, text = owner.send("/admin/orders/export", "POST", {})
    assert status == 202, text
    links: list[str] = []

    def notified() -> bool:
        rows = shop.server.sql("SELECT data->'file'->>'url' FROM notification WHERE data ? 'file'", shop.name)
        links.extend(rows)
        return bool(rows)

    assert eventually(notified)
    name = links[0].rpartition("/")[2]
    assert re.fullmatch(EXPORT, name), name
    assert [file.name for file in shop.uploads.iterdir()] == [name]
    assert owner.send(f"/static/{name}")[0] == 200


def test_the_largest_upload_fits_into_the_memory_of_the_smallest_plan(new_medusa_shop: MedusaShops) -> None:
    manifests = render(ENGINE, plan="small")
    pod = template(get_object(manifests, "Deployment", "web"))
    assert pod is not None
    limit = parse_quantity(pod["spec"]["containers"][0]["resources"]["limits"]["memory"])
    options = environment(manifests, "web")["NODE_OPTIONS"]
    shop = new_medusa_shop().install()
    owner = Client(shop.serve(NODE_OPTIONS=options))
    owner.open_session(owner.sign_in())
    for _ in range(2):
        status, text = upload(owner, "olive.bin", b"\xff" * (MAX_BYTES - MARGIN))
        assert status == 200, text
    assert peak_memory(owner.web) < limit
    for content, chunked in ((b"\xff" * MAX_BYTES, False), (b"small", True)):
        status, text = upload(owner, "olive.bin", content, chunked=chunked)
        assert (status, "16 MiB" in text) == (413, True), text
    assert {path.stat().st_size for path in shop.uploads.iterdir()} == {MAX_BYTES - MARGIN}


def peak_memory(container: Container) -> int:
    """In bytes."""
    [kib] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{container.pid}/status").read_text())
    return int(kib) * 1024
