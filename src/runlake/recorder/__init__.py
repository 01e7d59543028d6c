"""Running a command and recording it: what `runlake exec` does.

call       the command and how it is to be recorded; it is started before anything else is imported
child      the command as a process; signals, output and exit code pass through
target     where records go: a service, or a folder
recording  the records of one run on their way, in a thread
report     the run as records: open at the start, renewed, finished at the end
spool      keeps records until they are sent, in order
"""
