"""Payment runs: many people paid over three rails, each exactly once, whatever breaks in between."""
