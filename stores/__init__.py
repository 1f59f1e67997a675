"""What the business says about stores. No HTTP, no GraphQL, no Kubernetes."""
