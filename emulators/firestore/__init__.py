"""An embedded Firestore: google.firestore.v1.Firestore over gRPC, driven by the official clients."""
