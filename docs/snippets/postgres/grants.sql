-- In the database, as its owner, once the tables are there: workers may write events, and not delete them.
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO lineage_worker;
GRANT UPDATE ON run TO lineage_worker;
GRANT UPDATE, DELETE ON notice TO lineage_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO lineage_worker;
