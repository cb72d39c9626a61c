"""The verbs of the command line, one file each, loaded when its verb is called."""
