"""Reading a lake beside a running service: `check`, and the relations of `runlake sql`."""
