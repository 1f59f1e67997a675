"""The command line: `storefleet …`."""
