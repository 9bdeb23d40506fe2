"""The world around the process.

container.py devices.py    what it may use of the machine: memory, processors, GPUs
processes.py    other processes
signals.py halt.py    how it is told to end
surroundings.py    what a study records of machine and code
remote.py       folders at an address such as s3://bucket/folder
redaction.py    secrets of the environment, blacked out in texts
"""
