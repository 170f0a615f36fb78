"""Tables and migrations, the journal, projections for reports, personal data: all SQL lives here."""
