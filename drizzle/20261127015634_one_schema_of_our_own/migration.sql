-- Tables and functions are in one schema, so the two functions of one name become one: the application and host applications
-- set their tenant by the same `set_tenant`. Moving an installation out of `public` is done before the migrations run
-- (server/src/database/moveFromPublic.ts). Replaces two functions; locks no table.

DROP FUNCTION filegraph.set_tenant(uuid);
--> statement-breakpoint
-- Sets the tenant of the transaction, and for the audit log the user of the host application in whose name it acts. The user's
-- id is refused where the API would refuse it in a token.
CREATE OR REPLACE FUNCTION filegraph.set_tenant(tenant uuid, user_id text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF tenant IS NULL THEN
    RAISE EXCEPTION 'A tenant has to be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF user_id ~ '[\u0001-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]' THEN
    RAISE EXCEPTION 'user_id has to be free of control characters and characters that change the reading direction'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('SET LOCAL app.tenant_id = %L', tenant);
  -- The application acts for no such user, and opens thousands of transactions a second.
  IF user_id IS NOT NULL OR current_setting('app.host_user_id', true) <> '' THEN
    EXECUTE format('SET LOCAL app.host_user_id = %L', coalesce(user_id, ''));
  END IF;
END
$$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION filegraph.set_tenant(uuid, text) TO filegraph_app;
--> statement-breakpoint
ALTER FUNCTION filegraph.set_tenant_for_key(uuid, uuid, text) SET search_path = pg_catalog, pg_temp;
--> statement-breakpoint
ALTER FUNCTION filegraph.refuse_change() SET search_path = pg_catalog, pg_temp;
--> statement-breakpoint
REVOKE ALL ON FUNCTION filegraph.refuse_change() FROM PUBLIC;
