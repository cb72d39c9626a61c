"""What travels between the functions: messages, run requests, and the topology they travel on."""
