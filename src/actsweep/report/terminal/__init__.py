"""What people see in a terminal: progress, tables, studies side by side."""
