"""The web process: GraphQL over HTTP and WebSocket, sign-in, health, metrics."""
