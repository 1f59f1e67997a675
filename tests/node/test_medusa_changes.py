"""Programs that change a MedusaJS shop that is set up: the upgrade and the rotation, killed anywhere or run at once."""

import json
import random
import signal
import time

from tests.node.containers import Container
from tests.node.medusa_owners import Client
from tests.node.medusa_shops import ENV, MedusaShop, MedusaShops

OLDER = "UPDATE storefleet SET value = '2.0.0' WHERE name = 'release'; DELETE FROM script_migrations"
"""As an older image has left it: Medusa's scripts that change data haven't run."""


def make_older(shop: MedusaShop) -> None:
    shop.server.sql(OLDER, shop.name)


def outcome(program: Container) -> str:
    """What a program that has ended well says that it has done."""
    assert program.wait() == 0, program.log
    done: str = json.loads(program.log.strip().splitlines()[-1])["done"]
    return done


def sign_in(web: Container, password: str) -> int:
    return Client(web).try_password(password)[0]


def test_an_upgrade_may_be_killed_anywhere(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    complete = shop.counts()
    make_older(shop)
    rng = random.Random(20261130)
    for _ in range(5):
        killed = shop.start("install")
        assert killed.pid
        time.sleep(rng.uniform(0.1, 5))
        killed.stop(signal.SIGKILL)
    assert outcome(shop.start("install")) == "upgraded"
    assert shop.counts() == complete
    assert outcome(shop.start("install")) == "nothing to install"
    assert shop.counts() == complete
    assert sign_in(shop.serve(), ENV["STORE_ADMIN_PASSWORD"]) == 200


def test_of_three_upgrades_at_once_one_upgrades(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    complete = shop.counts()
    make_older(shop)
    programs = [shop.start("install") for _ in range(3)]
    assert sorted(map(outcome, programs)) == ["nothing to install", "nothing to install", "upgraded"]
    assert shop.counts() == complete


def test_a_rotation_may_be_killed_anywhere_and_run_at_once(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    assert outcome(shop.start("rotate", STORE_ADMIN_PASSWORD="first")) == "password changed"
    complete, old, rng = shop.counts(), "first", random.Random(20261130)
    for new in ("second", "third", "fourth"):
        killed = shop.start("rotate", STORE_ADMIN_PASSWORD=new)
        assert killed.pid
        time.sleep(rng.uniform(0.1, 1.5))
        killed.stop(signal.SIGKILL)
        assert outcome(shop.start("rotate", STORE_ADMIN_PASSWORD=new)) in ("password changed", "password unchanged")
        assert (sign_in(web, old), sign_in(web, new)) == (401, 200)
        old = new
    programs = [shop.start("rotate", STORE_ADMIN_PASSWORD="last") for _ in range(3)]
    assert sorted(map(outcome, programs)) == ["password changed", "password unchanged", "password unchanged"]
    assert (sign_in(web, old), sign_in(web, "last")) == (401, 200)
    assert shop.counts() == complete
