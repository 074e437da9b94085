-- As a superuser: the store's database, its owner, and a role for workers.
CREATE ROLE lineage LOGIN PASSWORD 'change-me';
CREATE ROLE lineage_worker LOGIN PASSWORD 'change-me-too';
CREATE DATABASE lineage OWNER lineage;
