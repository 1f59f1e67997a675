"""The shop's database."""

import os
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql

WAIT_SECONDS = 120.0
TABLES = (
    "CREATE TABLE IF NOT EXISTS products"
    " (sku VARCHAR(40) PRIMARY KEY, title VARCHAR(200) NOT NULL, cents INT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, `key` CHAR(32) NOT NULL UNIQUE,"
    " sku VARCHAR(40) NOT NULL, email VARCHAR(254) NOT NULL, FOREIGN KEY (sku) REFERENCES products (sku))",
    "INSERT IGNORE INTO products VALUES ('olive', 'A jar of olives', 490)",
)
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without TLS, PyMySQL needs the package cryptography to sign in to MySQL 8."""
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE  # the server's certificate is self-signed
Error = pymysql.MySQLError


@contextmanager
def transaction() -> Iterator[pymysql.cursors.Cursor]:
    """A cursor in a transaction that is committed at the end of the block. Raises Error."""
    connection = pymysql.connect(
        host=os.environ["DATABASE_HOST"],
        user=os.environ["DATABASE_USER"],
        password=os.environ["DATABASE_PASSWORD"],
        database=os.environ["DATABASE_USER"],
        charset="utf8mb4",
        connect_timeout=2,
        read_timeout=5,
        write_timeout=5,
        ssl=TLS,
    )
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    finally:
        connection.close()


def wait_until_ready() -> None:
    """Return when the database answers. Raises Error after WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with transaction() as cursor:
                cursor.execute("SELECT 1")
                return
        except Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def install() -> None:
    """Create the tables and the product. Idempotent: each statement does nothing the second time."""
    with transaction() as cursor:
        for statement in TABLES:
            cursor.execute(statement)
