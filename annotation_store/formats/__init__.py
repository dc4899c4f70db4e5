"""The file formats that documents come in and go out as, a module for each."""
