"""Who may use the admin of a MedusaJS shop: sessions and tokens after a rotation, and guessed passwords."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.node.containers import Container
from tests.node.medusa_owners import Client
from tests.node.medusa_shops import ENV, MedusaShops
from tests.node.page_visits import enter_network, send

ORDERS = "/admin/orders"
GUESSES = 50
MOST = 10


def register_customer(client: Client) -> None:
    """Anybody may. The customer is signed in then."""
    customer = {"email": "ada@example.com", "password": "of-the-customer"}
    status, _, text = client.send("/auth/customer/emailpass/register", "POST", customer)
    assert status == 200, text
    client.open_session(json.loads(text)["token"])


def test_a_rotation_ends_every_old_token_and_session(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    # the server counts wrong tokens by client address
    owner, thief, customer = (Client(web, headers={"X_Forwarded_For": f"192.0.2.{n}"}) for n in range(3))
    stolen = owner.sign_in()
    owner.open_session(stolen)
    register_customer(customer)
    forms = [form.format(stolen) for form in ("Bearer {}", "bearer  {}", "Bearer\t{}", "Bearer \t {}")]
    for client in (thief, customer):
        assert [client.send(ORDERS, Authorization=form)[0] for form in forms] == [200] * len(forms)
    assert owner.send(ORDERS)[0] == 200

    assert shop.run("rotate", STORE_ADMIN_PASSWORD="another")[0] == 0
    for client in (thief, customer):
        for form in forms:
            assert client.send(ORDERS, Authorization=form)[0] == 401, form
            assert client.send("/auth/session", "POST", Authorization=form)[0] == 401, form
            assert client.send(ORDERS)[0] == 401, form
    assert thief.send("/auth/token/refresh", "POST", Authorization=forms[1])[0] == 401
    assert owner.send(ORDERS)[0] == 401
    assert owner.send("/auth/token/refresh", "POST")[0] == 401

    # the owner's browser still has the old session
    owner.open_session(owner.sign_in("another"))
    assert owner.send(ORDERS)[0] == 200
    assert customer.send("/auth/session", "DELETE")[0] == 200, "the customer was still signed in"


def guess(web: Container, client: str, times: int, *, at_once: int, method: str = "POST") -> list[int]:
    """The status codes of wrong passwords that this client address sends."""
    headers = {"Content-Type": "application/json", "X-Forwarded-For": client}
    numbers = count()

    def try_one(_: int) -> int:
        body = json.dumps({"email": ENV["STORE_ADMIN_EMAIL"], "password": f"guess {next(numbers)}"})
        return send("/auth/user/emailpass", method, body=body, **headers).status

    with ThreadPoolExecutor(at_once, initializer=enter_network, initargs=(web.network,)) as pool:
        return list(pool.map(try_one, range(times)))


def test_ten_passwords_can_be_guessed_one_after_the_other_or_at_once(new_medusa_shop: MedusaShops) -> None:
    web = new_medusa_shop().install().serve()
    expected = [401] * MOST + [429] * (GUESSES - MOST)
    assert guess(web, "192.0.2.1", GUESSES, at_once=1) == expected
    assert sorted(guess(web, "192.0.2.2", GUESSES, at_once=GUESSES)) == expected
    assert guess(web, "192.0.2.3", GUESSES, at_once=1, method="GET") == expected

    right = Client(web, headers={"X_Forwarded_For": "192.0.2.4"})
    for _ in range(MOST + 1):
        right.sign_in()
    assert guess(web, "192.0.2.4", MOST, at_once=1) == [401] * MOST
