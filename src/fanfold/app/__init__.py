"""The use cases, one a file: what fanfold does, told in ports."""
