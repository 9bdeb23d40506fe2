"""What people see of a study.

state.py summary.py pace.py    how far it is
rows.py wording.py headline.py interval_line.py trial_table.py    results as texts
page.py template/    report.html
figures/      its plots, one file each
files/        figures, tables and TensorBoard files, for papers and other tools
terminal/     progress and tables
"""
