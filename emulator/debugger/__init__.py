"""Has a job's program wait for a debugger: what is brought into its container, and what a person's editor is told."""
