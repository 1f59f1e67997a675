"""The API process: GraphQL over HTTP and WebSocket, sign-in, health checks and metrics."""
