"""Schemas of topics: Schema Registry read, and Avro, JSON Schema and Protobuf as one shape."""
