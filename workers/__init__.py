"""The worker process: jobs, the sweep, the observer, and one pass over one store."""
