"""What can be asked for, apart from who makes it: one module a task."""
