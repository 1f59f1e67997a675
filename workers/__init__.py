"""The worker process: claims due stores, reconciles each in short passes, and watches the cluster."""
