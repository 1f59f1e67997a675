"""`storefleet …`: all commands and their options. A command's code is in its own module, imported when it runs."""

import argparse
import asyncio
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from cli import output
from runtime.settings import load_cluster_profile, load_settings_or_exit

CLUSTERS = ("simulated", "control-plane", "node", "kubeconfig")
PLATFORMS = ("processes", "chart")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="storefleet", description="Online stores on Kubernetes, one click each.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    if find_spec("sandbox") is not None:  # the platform's image has none
        _add_demo(commands)
    commands.add_parser("api", help="run the web process: GraphQL, sign-in, health, metrics")
    commands.add_parser("worker", help="run a worker process, which reconciles stores")
    migrate = commands.add_parser("migrate", help="upgrade the database schema")
    migrate.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="how long to wait for the database")
    commands.add_parser("doctor", help="check what stores need here, and say how to fix what is missing")
    smoke_test = commands.add_parser("smoke-test", help="create a store through the API, buy something, and delete it")
    smoke_test.add_argument("--url", required=True, help="address of the API")
    smoke_test.add_argument("--engine", help="such as WOOCOMMERCE (default: the first of STOREFLEET_ENGINES)")

    users = commands.add_parser("users", help="manage users")
    users_actions = users.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = users_actions.add_parser("add", help="add a user with an account; the password is read from stdin")
    add.add_argument("email")
    limits = users_actions.add_parser("limits", help="set the limits of a user's accounts")
    limits.add_argument("email")
    limits.add_argument("--stores", type=int, help="maximum number of stores")
    limits.add_argument("--per-hour", type=int, help="maximum number of creations in an hour")
    operator = users_actions.add_parser("operator", help="make a user an operator, who sees and limits all accounts")
    operator.add_argument("email")
    operator.add_argument("state", nargs="?", choices=("on", "off"), default="on", help="default: on")
    users_actions.add_parser("list", help="list all users")
    link = users_actions.add_parser("link", help="print a link with which the user signs in once, within 15 minutes")
    link.add_argument("email")
    unlink = users_actions.add_parser("unlink", help="forget the user's identity at the OpenID provider")
    unlink.add_argument("email")

    tokens = commands.add_parser("tokens", help="manage API tokens")
    tokens_actions = tokens.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = tokens_actions.add_parser("create", help="create a token for a user's account, and print its secret once")
    create.add_argument("email")
    create.add_argument("--name", default="cli")
    create.add_argument("--read-only", action="store_true")
    revoke = tokens_actions.add_parser("revoke", help="revoke a token; it is read from stdin")
    revoke.set_defaults(email=None)

    manifests = commands.add_parser("manifests", help="print a store's Kubernetes objects as YAML for kubectl apply")
    manifests.add_argument("store", help="slug or UUID")
    manifests.add_argument(
        "--secrets", action="store_true", help="include the Secrets in plain text: keep the output safe"
    )

    adopt = commands.add_parser(
        "adopt", help="take a namespace back: of a store without a row, or restored from a backup"
    )
    adopt.add_argument("namespace")
    adopt.add_argument("--owner", metavar="EMAIL", help="owner of a new account, if the store's account is gone too")

    keys = commands.add_parser("keys", help="manage the keys that seal secrets")
    keys.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser(
        "reseal", help="seal all secrets with the first key of their ring; docs/OPERATIONS.md tells when"
    )

    watch = commands.add_parser("watch", help="follow a store in the terminal")
    logs = commands.add_parser("logs", help="follow what a store's containers print")
    logs.add_argument("--tail", type=int, default=100, help="number of past lines, up to 500 (default: 100)")
    for command in (watch, logs):
        command.add_argument("store", help="slug")
        command.add_argument(
            "--data", type=Path, default=Path(".storefleet"), help="the demo's data folder (default: .storefleet)"
        )
        command.add_argument("--url", help="address of another Storefleet; its API token is in STOREFLEET_TOKEN")
    logs.add_argument("component", nargs="?", default="web", help="web, database, install, … (default: web)")
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="run everything on this machine, and create a store")
    demo.add_argument("--port", type=int, default=8000, help="the API's port (default: 8000)")
    demo.add_argument(
        "--data", type=Path, default=Path(".storefleet"), help="the folder for all data (default: .storefleet)"
    )
    demo.add_argument("--once", action="store_true", help="exit after READY instead of serving")
    demo.add_argument("--no-dashboard", action="store_true", help="don't build the dashboard")
    demo.add_argument("--cluster", choices=CLUSTERS, default=CLUSTERS[0], help="where stores run (default: simulated)")
    demo.add_argument("--engine", type=str.lower, help="the store's engine, such as woocommerce")
    demo.add_argument(
        "--woocommerce-zip", type=Path, metavar="ZIP", help="WooCommerce's plugin as a zip file, for --cluster node"
    )
    demo.add_argument(
        "--platform",
        choices=PLATFORMS,
        default=PLATFORMS[0],
        help="how the platform runs: as processes, or in the node, from its chart (default: processes)",
    )
    demo.add_argument("--speed", default="1", help="speed of the simulated cluster's clock; inf: no waiting")


def _api() -> int:
    import uvloop

    from api.serve import serve
    from runtime.listening_socket import PortInUseError, bind_socket
    from runtime.logging import configure_logging
    from schema.trusted_documents import TrustedDocumentsError

    settings = load_settings_or_exit()
    configure_logging(settings)
    try:
        listener = bind_socket(settings.host, settings.port)
        started = uvloop.run(serve(settings, load_cluster_profile(), listener))
    except (PortInUseError, TrustedDocumentsError) as error:
        output.error(str(error))
        return 1
    return 0 if started else 1


def _worker() -> int:
    import uvloop

    from runtime.listening_socket import PortInUseError
    from runtime.logging import configure_logging
    from workers.cluster.errors import MissingConfiguration
    from workers.main import run_worker
    from workers.prerequisites import NotStarted

    settings = load_settings_or_exit()
    configure_logging(settings)
    if settings.worker_keys is None:
        output.error("a worker needs STOREFLEET_WORKER_KEYS; see .env.example")
        return 2
    try:
        uvloop.run(run_worker(settings, load_cluster_profile()))
    except MissingConfiguration as error:
        output.error(f"{error}; check STOREFLEET_KUBECONFIG")
        return 1
    except (NotStarted, PortInUseError) as error:
        output.error(f"not started: {error}")
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
                return await logs(client, options.store, options.component, options.tail)
            return await watch(client, options.store)

    try:
        return asyncio.run(run())
    except ClientError as error:
        output.error(str(error))
        return 1


def run(options: argparse.Namespace) -> int:
    """Run the command. Returns the exit code."""
    match options.command:
        case "demo":
            from cli.demo import demo

            return demo(
                options.port,
                options.data,
                once=options.once,
                dashboard=not options.no_dashboard,
                cluster=options.cluster,
                speed=options.speed,
                engine=options.engine,
                plugin=options.woocommerce_zip,
                platform=options.platform,
            )
        case "api":
            return _api()
        case "worker":
            return _worker()
        case "migrate":
            from cli.migrate import migrate

            return migrate(load_settings_or_exit(), options.wait)
        case "doctor":
            from cli.doctor import doctor

            return asyncio.run(doctor(load_settings_or_exit(), load_cluster_profile()))
        case "smoke-test":
            from cli.smoke_test import smoke_test

            return asyncio.run(smoke_test(load_settings_or_exit(), options.url, options.engine))
        case "users":
            from cli.users import users

            return asyncio.run(users(load_settings_or_exit(), options))
        case "tokens":
            from cli.tokens import tokens

            return asyncio.run(tokens(load_settings_or_exit(), options))
        case "manifests":
            from cli.manifests import manifests

            return asyncio.run(
                manifests(load_settings_or_exit(), load_cluster_profile(), options.store, secrets=options.secrets)
            )
        case "adopt":
            from cli.adopt import adopt

            return asyncio.run(adopt(load_settings_or_exit(), load_cluster_profile(), options.namespace, options.owner))
        case "keys":
            from cli.keys import reseal

            return asyncio.run(reseal(load_settings_or_exit()))
        case _:
            return _follow(options)


def main() -> int:
    """The entry point of `python -m cli` and ./storefleet. Returns the exit code."""
    try:
        return run(_parser().parse_args())
    except KeyboardInterrupt as interrupt:
        return 128 + (interrupt.args[0] if interrupt.args else signal.SIGINT)
    except BrokenPipeError:  # as in `storefleet watch SLUG | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
