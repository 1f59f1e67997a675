"""`python -m shop serve | install | prove`."""

import sys

from shop import database
from shop.prove import Failed, prove
from shop.serve import serve


def main() -> int:
    """What went wrong is the last line printed: the owner sees it."""
    try:
        match sys.argv[1:]:
            case ["serve"]:
                serve()
            case ["install"]:
                database.wait()
                database.install()
                print('{"step": "tables", "done": true}')
            case ["prove"]:
                prove()
            case _:
                print("say serve, install or prove")
                return 2
    except Failed as failed:
        print(failed)
        return 1
    except database.Error as error:
        print(f"the database refused: {error.args[0] if error.args else 'no reason given'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
