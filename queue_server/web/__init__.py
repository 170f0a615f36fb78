"""HTTP and WebSocket, sessions, pages, OpenAPI: requests become commands, documents become answers."""
