"""The lake, the only truth: a DuckLake with a catalog and Parquet files. This room writes it.

catalog.py      the lake itself; its statements stand in lake.sql (sql.py), attach.py attaches it
catalogs        the database of its catalog: all that only SQLite, or PostgreSQL, is like
files           the place of its Parquet files: all that only a local disk, or S3, is like
places.py       which of them; lock.py is the write lock of a folder, and sync.py makes things durable in one
append.py       the writer: group commit; admit.py decides on records, write.py writes them, commit.py is what a
                follower gets
stored.py       the state of the lake in memory; rows.py has values of its rows
bulk.py         bulk loads; loaded_rows.py
maintenance.py  maintenance: steps.py, merging.py, retention.py, unreadable_files.py
backup.py       backups
"""
