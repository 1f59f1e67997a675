"""`python -m shop serve | install | prove`."""

import sys

from shop import database
from shop.prove import ProofError, prove
from shop.serve import serve


def main() -> int:
    """The exit code. An error is the last line printed: it is shown to the owner."""
    try:
        match sys.argv[1:]:
            case ["serve"]:
                serve()
            case ["install"]:
                database.wait_until_ready()
                database.install()
                print('{"step": "tables", "done": true}')
            case ["prove"]:
                prove()
            case _:
                print("say serve, install or prove")
                return 2
    except ProofError as error:
        print(error)
        return 1
    except database.Error as error:
        print(f"the database refused: {error.args[0] if error.args else 'no reason given'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
