"""The sample shop: one product, orders in a database, a page for the owner. Standard library and PyMySQL only."""
