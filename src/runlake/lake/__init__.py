"""The lake, the only truth: a DuckLake with a SQLite catalog and Parquet files. This room writes it.

catalog.py      the lake itself; its statements stand in lake.sql (sql.py), attach.py attaches it, lock.py and wal.py
                hold its write lock and its write-ahead log
append.py       the writer: group commit; admit.py decides on records, write.py writes them, new_files.py (with sync.py)
                makes their files durable, commit.py is what a follower gets
stored.py       the state of the lake in memory; rows.py has values of its rows
bulk.py         bulk loads; loaded_rows.py
maintenance.py  maintenance: steps.py, merging.py, retention.py, unreadable_files.py
checksums.py    the checksum list
backup.py       backups
"""
