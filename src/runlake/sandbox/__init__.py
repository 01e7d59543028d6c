"""The SQL of users, over exactly the files that it may see: those of a lake, or those of an import."""
