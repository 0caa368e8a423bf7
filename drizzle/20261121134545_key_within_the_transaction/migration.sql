-- Opens a transaction in the name of an API key whose secret the server has checked before: it sets the tenant, and asks in
-- the same statement whether the key still stands, so that no transaction begins for a key that was revoked. Adds one
-- function and takes no lock.

CREATE FUNCTION public.set_tenant_for_key(tenant uuid, key_id uuid, key_role text) RETURNS void
  LANGUAGE plpgsql
  SET search_path = pg_catalog
AS $$
BEGIN
  -- As set_tenant does, which would be a call within a call for each transaction.
  EXECUTE format('SET LOCAL app.tenant_id = %L', tenant);
  IF NOT EXISTS (
    SELECT FROM public.api_keys k
    WHERE k.tenant_id = tenant AND k.id = key_id AND k.role = key_role AND k.revoked_at IS NULL
  ) THEN
    RAISE EXCEPTION 'The API key does not stand any more' USING ERRCODE = 'FGK01';
  END IF;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION public.set_tenant_for_key(uuid, uuid, text) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION public.set_tenant_for_key(uuid, uuid, text) TO filegraph_app;
