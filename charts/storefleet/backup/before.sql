-- Begins a dump of Storefleet's database. All of it is one transaction: it is restored completely, or nothing is changed.
\set ON_ERROR_STOP on
BEGIN;
DO $$
BEGIN
    FOR attempt IN 1..30 LOOP  -- the server ends a connection a moment after its client
        PERFORM pg_stat_clear_snapshot();
        IF NOT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
                -- of other roles only the name is visible; the roles of API and workers have it
                AND (usename = current_user AND backend_type = 'client backend' OR application_name = 'storefleet')
        ) THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.1);
    END LOOP;
    RAISE EXCEPTION 'Other processes use this database. Stop the API and the workers first.';
END $$;
SET LOCAL client_min_messages = warning;
DROP SCHEMA public CASCADE;  -- pg_dump --schema=public creates it again
