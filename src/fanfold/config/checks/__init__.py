"""What is wrong with a file, all of it at once, each problem with its place and its fix."""
