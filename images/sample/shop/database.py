"""Where orders are kept."""

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
"""Else MySQL 8 wants a password in a form that PyMySQL needs another package for."""
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE  # the server makes its certificate itself
Error = pymysql.MySQLError


@contextmanager
def connected() -> Iterator[pymysql.cursors.Cursor]:
    """A cursor whose statements are one transaction, committed at the end. Raises Error."""
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


def wait() -> None:
    """Until the database answers. Raises Error when it doesn't in WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with connected() as cursor:
                cursor.execute("SELECT 1")
                return
        except Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def install() -> None:
    """Safe to run again, at the same time, and after any end: each statement does nothing the second time."""
    with connected() as cursor:
        for statement in TABLES:
            cursor.execute(statement)
