"""What any process of Storefleet needs: settings, database, changefeed, queue, logging, sealing."""
