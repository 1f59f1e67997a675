-- Begins a dump of Storefleet's database. All of it is one transaction: it is restored completely, or nothing is changed.
\set ON_ERROR_STOP on
BEGIN;
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND backend_type = 'client backend'
            AND pid <> pg_backend_pid()
    ) THEN
        RAISE EXCEPTION 'Other processes use this database. Stop the API and the workers first.';
    END IF;
END $$;
SET LOCAL client_min_messages = warning;
DROP SCHEMA public CASCADE;  -- pg_dump --schema=public creates it again
