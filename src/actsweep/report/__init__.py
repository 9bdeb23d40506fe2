"""What people see: the progress of a study, tables in the terminal, and the page."""
