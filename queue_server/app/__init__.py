"""The hub (the single writer), the views, timers and the outbox: where decisions become durable and visible."""
