"""Reading pods' logs for who looks at them: which runs there are, what of a line is shown, and how much at a time."""
