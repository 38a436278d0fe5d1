"""What a coding assistant asks for over the Model Context Protocol: the commands' answers, short and safe to read."""
