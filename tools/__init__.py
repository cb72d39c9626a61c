"""What is done to the repository from outside: not part of what is installed or deployed."""
