"""What connections do and did, as records: kept, filtered, counted, exported."""
