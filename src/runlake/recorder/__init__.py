"""Running a command and recording it: what `runlake exec` does.

child    runs the command; signals, output and exit code pass through
report   the run as records: open at the start, renewed, finished at the end
spool    keeps records until they are sent, in order
targets  where records go: a service, or a lake
"""
