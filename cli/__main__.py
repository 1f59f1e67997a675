"""`storefleet …`: every command's words and options. What a command does is in its own module, imported when used."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from cli import screen
from runtime.settings import load_or_exit, profile

CLUSTERS = ("simulated", "control-plane", "node", "kubeconfig")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="storefleet", description="Online stores on Kubernetes, one click each.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="everything on this machine: a store from click to READY")
    demo.add_argument("--port", type=int, default=8000, help="of the API (default: 8000)")
    demo.add_argument("--data", type=Path, default=Path(".storefleet"), help="where it keeps everything")
    demo.add_argument("--once", action="store_true", help="exit after READY instead of serving")
    demo.add_argument("--cluster", choices=CLUSTERS, default=CLUSTERS[0], help="where stores run")
    demo.add_argument(
        "--woocommerce-zip", type=Path, metavar="ZIP", help="the plugin, for a real WooCommerce on a node"
    )
    demo.add_argument("--speed", default="1", help="of the simulated cluster's clock; inf: no waiting")

    commands.add_parser("api", help="the web process: GraphQL, sign-in, health, metrics")
    commands.add_parser("worker", help="the worker process: makes stores be what they should")
    commands.add_parser("migrate", help="bring the database's schema up to date")
    commands.add_parser("doctor", help="what is missing for stores to run here, and what to do about it")

    users = commands.add_parser("users", help="people who may sign in")
    users_do = users.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = users_do.add_parser("add", help="a user with an account; the password is read from stdin")
    add.add_argument("email")
    limits = users_do.add_parser("limits", help="what a user's accounts may have")
    limits.add_argument("email")
    limits.add_argument("--stores", type=int, help="how many stores")
    limits.add_argument("--per-hour", type=int, help="how many creations an hour")
    users_do.add_parser("list", help="all of them")

    tokens = commands.add_parser("tokens", help="API tokens")
    tokens_do = tokens.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = tokens_do.add_parser("create", help="a token for a user's account; its secret is printed once")
    create.add_argument("email")
    create.add_argument("--name", default="cli")
    create.add_argument("--read-only", action="store_true")
    revoke = tokens_do.add_parser("revoke", help="end a token, given on stdin")
    revoke.set_defaults(email=None)

    manifests = commands.add_parser("manifests", help="what a store is made of, as YAML for kubectl apply")
    manifests.add_argument("store", help="slug or UUID")
    manifests.add_argument("--secrets", action="store_true", help="with the Secrets, opened: keep the output safe")

    adopt = commands.add_parser("adopt", help="take back a store that the cluster has and the database doesn't")
    adopt.add_argument("namespace")
    adopt.add_argument("--owner", metavar="EMAIL", help="who gets the store's account if that is gone, too")

    watch = commands.add_parser("watch", help="follow a store in the terminal")
    logs = commands.add_parser("logs", help="follow what a store's containers print")
    logs.add_argument("--tail", type=int, default=100, help="lines to begin with, up to 500 (default: 100)")
    for command in (watch, logs):
        command.add_argument("store", help="slug")
        command.add_argument("--data", type=Path, default=Path(".storefleet"), help="of the demo to ask")
        command.add_argument("--url", help="of another Storefleet, with its token in STOREFLEET_TOKEN")
    logs.add_argument("workload", nargs="?", default="web", help="database, install, …; whatever its engine has")
    return parser


def _api() -> int:
    import uvloop

    from api.serve import server
    from runtime.listener import PortTaken, bind
    from runtime.logging import configure

    settings = load_or_exit()
    configure(settings)
    try:
        listener = bind(settings.host, settings.port)
    except PortTaken as error:
        screen.failed(str(error))
        return 1
    uvicorn = server(settings, profile())
    uvloop.run(uvicorn.serve(sockets=[listener]))
    return 0 if uvicorn.started else 1


def _worker() -> int:
    import uvloop

    from runtime.logging import configure
    from workers.cluster.errors import Unconfigured
    from workers.fence import Unfenced
    from workers.main import work

    settings = load_or_exit()
    configure(settings)
    if settings.worker_keys is None:
        screen.failed("a worker needs STOREFLEET_WORKER_KEYS; see .env.example")
        return 2
    try:
        uvloop.run(work(settings, profile()))
    except Unconfigured as error:
        screen.failed(f"{error}; check STOREFLEET_KUBECONFIG")
        return 1
    except Unfenced as error:
        screen.failed(f"not started: {error}")
        return 1
    return 0


def _follow(options: argparse.Namespace) -> int:
    from cli.client import Access, ClientError, connected
    from cli.logs import logs
    from cli.watch import watch

    async def run() -> int:
        if options.url:
            access = Access(options.url, os.environ.get("STOREFLEET_TOKEN", ""))
        else:
            access = Access.load(options.data)
        async with connected(access) as client:
            if options.command == "logs":
                return await logs(client, options.store, options.workload, options.tail)
            return await watch(client, options.store)

    try:
        return asyncio.run(run())
    except ClientError as error:
        screen.failed(str(error))
        return 1


def run(options: argparse.Namespace) -> int:
    """The exit code."""
    match options.command:
        case "demo":
            from cli.demo import demo

            return demo(
                options.port,
                options.data,
                once=options.once,
                cluster=options.cluster,
                speed=options.speed,
                plugin=options.woocommerce_zip,
            )
        case "api":
            return _api()
        case "worker":
            return _worker()
        case "migrate":
            from cli.migrate import migrate

            return migrate(load_or_exit().database_url.get_secret_value())
        case "doctor":
            from cli.doctor import doctor

            return asyncio.run(doctor(load_or_exit(), profile()))
        case "users":
            from cli.users import users

            return asyncio.run(users(load_or_exit(), options))
        case "tokens":
            from cli.tokens import tokens

            return asyncio.run(tokens(load_or_exit(), options))
        case "manifests":
            from cli.manifests import manifests

            return asyncio.run(manifests(load_or_exit(), profile(), options.store, secrets=options.secrets))
        case "adopt":
            from cli.adopt import adopt

            return asyncio.run(adopt(load_or_exit(), profile(), options.namespace, options.owner))
        case _:
            return _follow(options)


def main() -> int:
    """For `python -m cli` and the wrapper."""
    try:
        return run(_parser().parse_args())
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as in `storefleet watch SLUG | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
