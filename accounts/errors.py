"""What a caller did wrong, as data: the same shape from every command, translated once by schema and api."""


class CallerError(Exception):
    """`code` is stable and for machines, `field` names the input (camelCase) or None, `message` says what to do."""

    def __init__(self, code: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message
