"""The smallest shop with a database: one product, orders, an owner. Standard library and PyMySQL only."""
