"""The devices of a hall and the agent that owns them; knows the server only through the wire."""
