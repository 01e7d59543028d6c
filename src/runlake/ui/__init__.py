"""The web page. Its files are made from ui/ of the repository by `make ui`, and are committed in static/."""
