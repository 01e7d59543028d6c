"""Recording what runs: a command (`runlake exec`), or a block of Python (`client.run`).

call       the command and how it is to be recorded; it is started before anything else is imported
child      the command as a process; signals, output and exit code pass through
target     where records go: a service, or a folder
recording  the records of one run on their way, in a thread
records    a run as records: open at the start, renewed, finished at the end
report     the records of a command
tail       the end of a text that is too long for an error
clock      how long something took
spool      keeps records until they are sent, in order
"""
