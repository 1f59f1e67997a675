-- Clients may have seen events that this dump doesn't have. New events get numbers that no client has seen, so that a
-- cursor of such an event is expired, and not taken for that of a new one.
UPDATE public.account_streams SET seq = seq + 1000000000;
COMMIT;
\echo complete
