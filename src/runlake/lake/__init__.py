"""The lake, the only truth: a DuckLake with a catalog and Parquet files. This room writes it.

catalog.py      the lake itself; its statements stand in lake.sql (sql.py), attach.py attaches it
catalogs        the database of its catalog: all that only SQLite is like; lock.py is its write lock
files           the place of its Parquet files: all that only a local disk is like; sync.py makes things durable there
append.py       the writer: group commit; admit.py decides on records, write.py writes them, commit.py is what a
                follower gets
stored.py       the state of the lake in memory; rows.py has values of its rows
bulk.py         bulk loads; loaded_rows.py
maintenance.py  maintenance: steps.py, merging.py, retention.py, unreadable_files.py
backup.py       backups
"""
